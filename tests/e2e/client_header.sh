#!/bin/sh
# trk.h is C99, C11, C++11 and C++17 without a warning, alone and with every function in use.
#     client_header.sh INCLUDE_DIR
set -eu
include=$1
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT

cat > "$dir/use.c" <<'END'
#include <trk.h>

int use(struct trk_run *run)
{
	struct trk_run_options options;
	struct trk_run *started;
	options.size = sizeof options;
	options.mode = TRK_OFFLINE;
	(void)trk_run_start(&options, &started);
	(void)trk_run_start(NULL, &started);
	(void)trk_log_paramf(run, "key", "%d of %s", 1, "many");
	(void)trk_log_metric(run, "loss", 0.5, 1);
	{
		struct trk_model_watch_options watch_options;
		struct trk_model_watch *watch;
		watch_options.size = sizeof watch_options;
		(void)trk_model_watch_start(&watch_options, &watch);
		trk_model_watch_release(watch, trk_model_watch_current(watch));
		(void)trk_model_watch_wait(watch, trk_model_watch_generation(watch), 0);
		(void)trk_model_watch_stop(watch);
	}
	return (int)trk_run_finish(run, TRK_RUN_FINISHED, 1000);
}
END
cp "$dir/use.c" "$dir/use.cpp"
for compiler in gcc clang; do
	command -v $compiler > /dev/null || continue
	for std in c99 c11 gnu17; do
		$compiler -std=$std -Wall -Wextra -Werror -pedantic -Wstrict-prototypes -I"$include" -fsyntax-only "$dir/use.c"
	done
done
for compiler in g++ clang++; do
	command -v $compiler > /dev/null || continue
	for std in c++11 c++17 c++20; do
		$compiler -std=$std -Wall -Wextra -Werror -pedantic -I"$include" -fsyntax-only "$dir/use.cpp"
	done
done
