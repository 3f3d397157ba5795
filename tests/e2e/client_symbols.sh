#!/bin/sh
# libtrk shows the linker trk_* and nothing else.
#     client_symbols.sh LIBTRK.SO LIBTRK.A
set -eu
shared=$1 archive=$2
failed=0

check() {
	# Sanitizers add weak symbols of their own.
	others=$(printf '%s\n' "$2" | grep -v -E '^(trk_|__odr_asan|__asan|_ITM_|__gmon|__start___sancov|__stop___sancov|$)' || true)
	if [ -n "$others" ]; then
		echo "$1 shows more than trk_*:" $others
		failed=1
	fi
	for symbol in trk_run_start_compiled trk_log_metric trk_flush trk_run_finish trk_sync trk_model_watch_start trk_model_watch_current trk_version; do
		printf '%s\n' "$2" | grep -q -x "$symbol" || { echo "$1 lacks $symbol"; failed=1; }
	done
}

check "$shared" "$(nm -D --defined-only "$shared" | awk '$2 != "A" {sub(/@.*/, "", $3); print $3}')"
check "$archive" "$(nm -g --defined-only "$archive" | awk 'NF == 3 {print $3}')"
nm -D --defined-only "$shared" | grep -q 'trk_run_start_compiled@@TRK_1.0' ||
	{ echo "$shared has unversioned symbols"; failed=1; }
readelf -d "$shared" | grep -q 'SONAME.*libtrk\.so\.1\]' || { echo "$shared has a wrong soname"; failed=1; }
exit $failed
