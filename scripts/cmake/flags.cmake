# Compiler settings of every target: the strict warning set, hardening for release, sanitizers on request.
add_library(trackerd_flags INTERFACE)

target_compile_options(trackerd_flags INTERFACE
	-Wall -Wextra -Wpedantic -Wshadow -Wconversion -Wsign-conversion -Wstrict-prototypes -Wmissing-prototypes
	-Wold-style-definition -Wvla -Wwrite-strings -Wformat=2 -Wundef -Wcast-align -Wcast-qual -Wpointer-arith
	-Wswitch-enum -Wimplicit-fallthrough -Wnull-dereference -Wdouble-promotion -Wno-missing-field-initializers
	-fno-strict-aliasing)
if(CMAKE_C_COMPILER_ID STREQUAL "GNU")
	target_compile_options(trackerd_flags INTERFACE -Wlogical-op -Wduplicated-cond)
endif()
if(TRACKERD_WERROR)
	target_compile_options(trackerd_flags INTERFACE -Werror)
endif()
target_compile_definitions(trackerd_flags INTERFACE _GNU_SOURCE)

if(TRACKERD_SANITIZE)
	target_compile_options(trackerd_flags INTERFACE
		-fsanitize=${TRACKERD_SANITIZE} -fno-omit-frame-pointer -fno-sanitize-recover=all -g3)
	target_link_options(trackerd_flags INTERFACE -fsanitize=${TRACKERD_SANITIZE})
else()
	target_compile_options(trackerd_flags INTERFACE
		-g -fstack-protector-strong -fstack-clash-protection
		$<$<NOT:$<CONFIG:Debug>>:-D_FORTIFY_SOURCE=2>)
	target_link_options(trackerd_flags INTERFACE -Wl,-z,relro,-z,now)
endif()
if(TRACKERD_FUZZ)
	# Coverage of our code is what guides the fuzzer; its own main is linked by the targets in tests/.
	target_compile_options(trackerd_flags INTERFACE -fsanitize=fuzzer-no-link)
endif()
set(CMAKE_C_FLAGS_DEBUG "-O1")
set(CMAKE_C_FLAGS_RELEASE "-O2")
set(CMAKE_C_FLAGS_RELWITHDEBINFO "-O2 -g")
