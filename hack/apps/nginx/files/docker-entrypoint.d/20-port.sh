#!/bin/sh
# SPDX-License-Identifier: Apache-2.0

set -e
sed "s/@PORT@/$PORT/" /etc/nginx/templates/nginx.conf >/etc/nginx/nginx.conf
