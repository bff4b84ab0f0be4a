# shellcheck shell=bash
# SPDX-License-Identifier: Apache-2.0
#
# OCI image layouts, written with a shell, tar and sha256sum. The same files give the same bytes. The caller
# sets $work, a directory for parts, and $out, where archives go.
# shellcheck disable=SC2154

oci_tar() {
	tar -C "$1" --sort=name --mtime=@0 --owner=0 --group=0 --numeric-owner --format=gnu -cf "$2" .
}

# blob LAYOUT FILE: move the file into the layout; the caller finds it in $digest and $size
blob() {
	digest=$(sha256sum "$2" | cut -d' ' -f1)
	size=$(stat -c %s "$2")
	mkdir -p "$1/blobs/sha256"
	mv "$2" "$1/blobs/sha256/$digest"
	digest=sha256:$digest
}

# manifest LAYOUT ROOT OCI-ARCH VARIANT COMMAND: one image of one platform; its manifest in $digest, $size
manifest() {
	local layout=$1 root=$2 arch=$3 variant=$4 command=$5 layer layer_size
	[ "$variant" = - ] && variant= || variant=$(printf '"variant":"%s",' "$variant")

	oci_tar "$root" "$work/layer"
	blob "$layout" "$work/layer"
	layer=$digest layer_size=$size

	printf '{"created":"1970-01-01T00:00:00Z","architecture":"%s",%s"os":"linux","config":{"Env":["PATH=/bin"],"Cmd":["%s"]},"rootfs":{"type":"layers","diff_ids":["%s"]}}' \
		"$arch" "$variant" "$command" "$layer" >"$work/config"
	blob "$layout" "$work/config"

	printf '{"schemaVersion":2,"mediaType":"application/vnd.oci.image.manifest.v1+json","config":{"mediaType":"application/vnd.oci.image.config.v1+json","digest":"%s","size":%d},"layers":[{"mediaType":"application/vnd.oci.image.layer.v1.tar","digest":"%s","size":%d}]}' \
		"$digest" "$size" "$layer" "$layer_size" >"$work/manifest"
	blob "$layout" "$work/manifest"
}

# entry MEDIA-TYPE NAME: an index.json entry for what $digest and $size name
#
# It carries no platform on purpose: ctr leaves out what does not match the node, also when importing.
entry() {
	printf '{"mediaType":"application/vnd.oci.image.%s.v1+json","digest":"%s","size":%d,"annotations":{"io.containerd.image.name":"%s","org.opencontainers.image.ref.name":"%s"}}' \
		"$1" "$digest" "$size" "$2" "${2##*:}"
}

# archive LAYOUT FILE ENTRY...
archive() {
	local layout=$1 file=$2 IFS=,
	shift 2
	printf '{"imageLayoutVersion":"1.0.0"}' >"$layout/oci-layout"
	printf '{"schemaVersion":2,"mediaType":"application/vnd.oci.image.index.v1+json","manifests":[%s]}' "$*" >"$layout/index.json"
	oci_tar "$layout" "$out/$file.tar"
}

# index LAYOUT FUNCTION PLATFORM...: the images that FUNCTION makes, one a call, as one: each node takes its own of it
index() {
	local layout=$1 function=$2 arch entries=()
	shift 2
	for arch; do
		"$function" "$arch" || return
		entries+=("$(printf '{"mediaType":"application/vnd.oci.image.manifest.v1+json","digest":"%s","size":%d,"platform":{"architecture":"%s","os":"linux"}}' \
			"$digest" "$size" "$arch")")
	done
	(
		IFS=,
		printf '{"schemaVersion":2,"mediaType":"application/vnd.oci.image.index.v1+json","manifests":[%s]}' "${entries[*]}"
	) >"$work/index"
	blob "$layout" "$work/index"
}

# platforms_archive FILE NAME FUNCTION: the image NAME for $ARCHES, as FILE.tar with an index of several platforms, or
# FILE-ARCH.tar of one, whose name it prints
platforms_archive() {
	local file=$1 entry
	if [[ $ARCHES == *\ * ]]; then
		# shellcheck disable=SC2086 # words
		index "$work/layout" "$3" $ARCHES || return
		entry=$(entry index "$2")
	else
		file=$file-$ARCHES
		"$3" "$ARCHES" || return
		entry=$(entry manifest "$2")
	fi
	archive "$work/layout" "$file" "$entry"
	echo "$out/$file.tar"
}
