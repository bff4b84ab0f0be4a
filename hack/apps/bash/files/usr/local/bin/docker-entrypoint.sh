#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
#
# Options alone are the shell's.

set -eu
case ${1-} in
-*) set -- bash "$@" ;;
esac
exec "$@"
