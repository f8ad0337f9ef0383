#!/bin/bash
# A worker written from docs/worker-protocol.md alone. It runs each call when it comes, so none waits.
export LC_ALL=C
case $SLIPWAY_WORKER_CHANNEL in
  stdio) exec 3<&0 4>&1 0</dev/null ;;
  fd:*,*)
    ends=${SLIPWAY_WORKER_CHANNEL#fd:}
    eval "exec 3<&${ends%,*} 4>&${ends#*,}"
    ;;
esac
exec 1>&2
unset SLIPWAY_WORKER SLIPWAY_WORKER_CHANNEL SLIPWAY_WORKER_FILES
received=0 replies=0

# send MEMBERS [BODY]
send() {
  if [ $# -eq 1 ]; then printf '{%s}\n' "$1" >&4; else printf '{%s,"sizes":[%d]}\n%s' "$1" "${#2}" "$2" >&4; fi
}

reply() {
  replies=$((replies + 1))
  send "\"type\":\"$1\",\"id\":$received" "$2"
}

call() {
  local text=${2#'["'}
  text=${text%'"]'}
  case $1 in
    shout) reply result "\"${text^^}\"" ;;
    says) send "\"type\":\"output\",\"id\":$received" "$text"$'\n' && reply result null ;;
    exits) exit "${2//[^0-9]/}" ;;
    *) reply error "{\"name\":\"Error\",\"message\":\"no function $1\",\"details\":\"no function $1\"}" ;;
  esac
}

while IFS= read -r header <&3; do
  bodies=()
  if [[ $header =~ \"sizes\":\[([0-9,]*)\] ]]; then
    for size in ${BASH_REMATCH[1]//,/ }; do
      IFS= read -r -N "$size" body <&3
      bodies+=("$body")
    done
  fi
  [[ $header =~ \"type\":\"([a-z]*)\" ]] || exit 129
  case ${BASH_REMATCH[1]} in
    attach)
      functions='"functions":["shout","says","exits"]'
      send "\"type\":\"hello\",\"protocol\":1,$functions,\"received\":$received,\"replies\":$replies"
      ;;
    call)
      [[ $header =~ \"id\":([0-9]*) ]] && received=${BASH_REMATCH[1]}
      [[ $header =~ \"function\":\"([^\"]*)\" ]] && call "${BASH_REMATCH[1]}" "${bodies[0]}"
      ;;
    revoke) send '"type":"revoked","ids":[]' ;;
    end) exit 0 ;;
  esac
done
exit 129
