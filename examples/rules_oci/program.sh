#!/bin/sh
# Says where it runs.
echo "team: ${TEAM-none}"
[ ! -e /etc/greeting.txt ] || cat /etc/greeting.txt
echo "images: ${SLIPWAY_CONTAINER_IMAGE_URIS-none}"
