# bash completion for crossarch -*- shell-script -*-
# SPDX-License-Identifier: Apache-2.0
# Install as /usr/share/bash-completion/completions/crossarch

_crossarch_archs='amd64 386 arm64 arm riscv64 s390x ppc64le ppc64 loong64 mips mipsle mips64 mips64le sparc64'

_crossarch_options() {
	case $1 in
	doctor) echo --address --distribution --html --json --quiet --help ;;
	check) echo --rootfs --bundle --platform --config --address --distribution --namespace --snapshotter --json --quiet --help ;;
	why) echo --address --distribution --namespace --config --snapshotter --json --help ;;
	scan) echo --tar --layout --address --distribution --namespace --snapshotter --config --json --quiet --help ;;
	explain) echo --json --help ;;
	pull) echo --platform --fresh --credentials --handler --address --distribution --quiet --help ;;
	resolve) echo --file --platform --fresh --credentials --handler --address --distribution --quiet --help ;;
	emulators) echo --path --emulator --force --credentials --pod --json --quiet --help ;;
	config) echo --write --remove --restart --patience --default --emulation --nfd --address --distribution --file --settings --quiet --help ;;
	labels) echo --write --directory --quiet --help ;;
	metrics) echo --write --help ;;
	cpu-models) echo --machine --help ;;
	image-platform) echo --address --distribution --namespace --image --timeout --json --machine --help ;;
	esac
}

# The operands of command $1; $2 is the first one typed so far.
_crossarch_operands() {
	case $1-$2 in
	explain-*) crossarch explain 2>/dev/null | cut -d' ' -f1 ;;
	emulators-) echo list install keep remove test ;;
	emulators-install | emulators-remove) echo "$_crossarch_archs all" ;;
	emulators-* | cpu-models-) echo "$_crossarch_archs" ;;
	config-) echo containerd kubernetes distribution ;;
	config-containerd | config-kubernetes) echo "$_crossarch_archs" ;;
	esac
}

_crossarch() {
	local cur=${COMP_WORDS[COMP_CWORD]} prev=${COMP_WORDS[COMP_CWORD - 1]}
	local command=${COMP_WORDS[1]-} first='' words
	COMPREPLY=()
	if [ "$COMP_CWORD" = 1 ]; then
		words='doctor check why scan explain pull resolve emulators config labels metrics cpu-models image-platform help --version --help'
		mapfile -t COMPREPLY < <(compgen -W "$words" -- "$cur")
		return
	fi
	case $prev in
	--platform)
		words=linux/${_crossarch_archs// / linux/}
		mapfile -t COMPREPLY < <(compgen -W "$words" -- "$cur")
		return
		;;
	--distribution | -D)
		mapfile -t COMPREPLY < <(compgen -W 'k3s rke2 k0s microk8s eks containerd' -- "$cur")
		return
		;;
	--emulation)
		mapfile -t COMPREPLY < <(compgen -W never -- "$cur")
		return
		;;
	--emulator | -e)
		mapfile -t COMPREPLY < <(compgen -W 'qemu box64 box86 fex' -- "$cur")
		return
		;;
	--rootfs | --bundle | --layout | --directory | --settings | -r | -b | -d)
		mapfile -t COMPREPLY < <(compgen -d -- "$cur")
		return
		;;
	--config | --credentials | --tar | --file | --html | --path | --address | -c | -f | -p | -a)
		mapfile -t COMPREPLY < <(compgen -f -- "$cur")
		return
		;;
	esac
	[ "$COMP_CWORD" -le 2 ] || first=${COMP_WORDS[2]}
	case $cur in
	-*) words=$(_crossarch_options "$command") ;;
	*) words=$(_crossarch_operands "$command" "$first") ;;
	esac
	mapfile -t COMPREPLY < <(compgen -W "$words" -- "$cur")
}

complete -o filenames -F _crossarch crossarch
