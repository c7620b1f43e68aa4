#!/bin/sh
# Makes the namespace or brings it to these settings, and registers the search attributes that runs are found by. A second run
# changes nothing. Reads TEMPORAL_ADDRESS, TEMPORAL_NAMESPACE.
set -eu
export TEMPORAL_NAMESPACE="${TEMPORAL_NAMESPACE:-default}"
retention=720h # 30 days of workflow history

# A server that has just started needs some seconds until it knows a new namespace.
again() { # COMMAND...
  tries=0
  until said=$("$@" 2>&1); do
    tries=$((tries + 1))
    if [ "$tries" -ge 30 ]; then
      echo "$said" >&2
      return 1
    fi
    sleep 1
  done
  [ -z "$said" ] || echo "$said"
}

has_namespace() { temporal operator namespace describe >/dev/null 2>&1; }
make_namespace() { has_namespace || temporal operator namespace create --retention "$retention" || has_namespace; }
known_attributes() { temporal operator search-attribute list; }

register() { # NAME TYPE
  known_attributes | grep -q "^ *$1 " || temporal operator search-attribute create --name "$1" --type "$2"
}

again make_namespace
again temporal operator namespace update --retention "$retention"
again register BackupTargets KeywordList
again register BackupFailedTargets KeywordList
again register BackupOutcome Keyword
again register BackupRunId Keyword
