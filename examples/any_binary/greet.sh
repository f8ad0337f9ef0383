#!/bin/sh
cat greeting.txt
echo "Primes: $(./primes 20)"
echo "Image: ${SLIPWAY_CONTAINER_IMAGE_URIS:-none}"
