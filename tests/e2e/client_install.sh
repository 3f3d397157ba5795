#!/bin/sh
# An installed libtrk is found by pkg-config (shared and static) and by find_package, and runs.
#     client_install.sh CLIENT_BUILD_DIR SANITIZERS
set -eu
build=$1 sanitize=$2
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT

for component in libtrk1 libtrk-dev; do
	cmake --install "$build" --component $component --prefix "$dir/prefix" > "$dir/install.log" ||
		{ cat "$dir/install.log"; exit 1; }
done
cat > "$dir/program.c" <<'END'
#include <stdio.h>
#include <string.h>
#include <trk.h>

int main(int argc, char **argv)
{
	struct trk_run *run = NULL;
	struct trk_run_options options;
	(void)argc;
	memset(&options, 0, sizeof options);
	options.size = sizeof options;
	options.mode = TRK_OFFLINE;
	options.spool_directory = argv[1];
	if (trk_run_start(&options, &run) != TRK_OK)
		return 1;
	if (trk_log_metric(run, "loss", 0.5, 1) != TRK_OK)
		return 2;
	printf("%s\n", trk_version());
	return (int)trk_run_finish(run, TRK_RUN_FINISHED, 1000);
}
END
cp "$dir/program.c" "$dir/program.cpp"
flags=${sanitize:+-fsanitize=$sanitize}
export PKG_CONFIG_PATH="$(dirname "$(find "$dir/prefix" -name trk.pc)")"
libdir=$(pkg-config --variable=libdir trk)

gcc $flags "$dir/program.c" $(pkg-config --cflags --libs trk) -o "$dir/shared"
g++ $flags "$dir/program.cpp" $(pkg-config --cflags --libs trk) -o "$dir/cplusplus"
gcc $flags "$dir/program.c" $(pkg-config --cflags trk) "$libdir/libtrk.a" \
	$(pkg-config --libs libcurl libcrypto) -pthread -lm -o "$dir/static"
for program in shared cplusplus static; do
	LD_LIBRARY_PATH=$libdir "$dir/$program" "$dir/spool-$program" > "$dir/version"
	test "$(cat "$dir/version")" = "$(pkg-config --modversion trk)"
	test -n "$(ls "$dir/spool-$program")"
done

mkdir "$dir/project"
cat > "$dir/project/CMakeLists.txt" <<'END'
cmake_minimum_required(VERSION 3.20)
project(program C)
find_package(Trk 0.1 REQUIRED)
add_executable(program ../program.c)
target_link_libraries(program PRIVATE Trk::trk)
END
cmake -S "$dir/project" -B "$dir/project/build" -DCMAKE_PREFIX_PATH="$dir/prefix" -DCMAKE_C_FLAGS="$flags" \
	> "$dir/configure.log" 2>&1 || { cat "$dir/configure.log"; exit 1; }
cmake --build "$dir/project/build" > "$dir/build.log" 2>&1 || { cat "$dir/build.log"; exit 1; }
"$dir/project/build/program" "$dir/spool-cmake" > /dev/null
