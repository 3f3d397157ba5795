# Puts files into the binary with the assembler's .incbin, so that one file is the whole server.

# embed_schema(target dir): every dir/<database>/NNNN_*.sql, as the table schema_embedded.h declares.
function(embed_schema target directory)
	file(GLOB files CONFIGURE_DEPENDS RELATIVE ${directory} ${directory}/*/*.sql)
	list(SORT files)
	set(out ${CMAKE_CURRENT_BINARY_DIR}/${target}.c)
	set(asm "")
	set(declarations "")
	set(rows "")
	set(index 0)
	set(depends "")
	foreach(file ${files})
		string(APPEND declarations
			"__asm__(\".section .rodata\\n.balign 16\\n${target}_${index}:\\n.incbin \\\"${directory}/${file}\\\"\\n${target}_${index}_end:\\n.previous\");\n"
			"extern const char ${target}_${index}[], ${target}_${index}_end[];\n")
		get_filename_component(database ${file} DIRECTORY)
		get_filename_component(name ${file} NAME)
		string(REGEX MATCH "^[0-9]+" number ${name})
		math(EXPR version "1${number} - 10000")
		string(APPEND rows "\t{\"${database}\", ${version}, \"${name}\", ${target}_${index}, ${target}_${index}_end},\n")
		list(APPEND depends ${directory}/${file})
		math(EXPR index "${index} + 1")
	endforeach()
	file(CONFIGURE OUTPUT ${out} @ONLY CONTENT [[
/* Made by scripts/cmake/embed.cmake. */
#include "schema_embedded.h"
@declarations@
const struct schema_script schema_scripts[] = {
@rows@};
const unsigned schema_scripts_count = sizeof(schema_scripts) / sizeof(schema_scripts[0]);
]])
	file(CONFIGURE OUTPUT ${CMAKE_CURRENT_BINARY_DIR}/embedded/schema_embedded.h @ONLY CONTENT [[
/* The numbered migrations of schema/sqlite, in order; made by scripts/cmake/embed.cmake. */
#ifndef SCHEMA_EMBEDDED_H
#define SCHEMA_EMBEDDED_H
struct schema_script {
	const char *database; /* "tracker" or "artifacts" */
	int version;          /* 1, 2, … without gaps */
	const char *name;     /* "0001_initial.sql" */
	const char *begin, *end;
};
extern const struct schema_script schema_scripts[];
extern const unsigned schema_scripts_count;
#endif
]])
	set_source_files_properties(${out} PROPERTIES OBJECT_DEPENDS "${depends}")
	add_library(${target} STATIC ${out})
	target_include_directories(${target} PUBLIC ${CMAKE_CURRENT_BINARY_DIR}/embedded)
endfunction()

# web_libraries(directory out): the npm packages that web/package-lock.json locks, fetched once into the build
# folder. Without npm the page is built without charts, and says so.
function(web_libraries directory out)
	set(npm_dir ${CMAKE_BINARY_DIR}/npm)
	file(SHA256 ${directory}/package-lock.json lock)
	if(NOT EXISTS ${npm_dir}/${lock})
		find_program(NPM npm)
		if(NPM)
			file(REMOVE_RECURSE ${npm_dir})
			file(MAKE_DIRECTORY ${npm_dir})
			file(COPY ${directory}/package.json ${directory}/package-lock.json DESTINATION ${npm_dir})
			execute_process(COMMAND ${NPM} ci --ignore-scripts --no-audit --no-fund --omit=dev
				WORKING_DIRECTORY ${npm_dir} RESULT_VARIABLE failed OUTPUT_QUIET)
			if(NOT failed)
				file(TOUCH ${npm_dir}/${lock})
			endif()
		endif()
	endif()
	if(EXISTS ${npm_dir}/${lock})
		set(${out} ${npm_dir}/node_modules PARENT_SCOPE)
	else()
		message(WARNING "npm is missing or failed: the web page is built without charts. "
			"Run scripts/setup and configure again.")
		set(${out} "" PARENT_SCOPE)
	endif()
endfunction()

# embed_web(target dir): the page and its libraries, as the table web_embedded.h declares.
function(embed_web target directory)
	file(GLOB_RECURSE files CONFIGURE_DEPENDS RELATIVE ${directory}
		${directory}/*.html ${directory}/*.css ${directory}/*.js ${directory}/*.svg ${directory}/*.webmanifest)
	list(FILTER files EXCLUDE REGEX "node_modules/")
	set(pairs "")
	foreach(file ${files})
		list(APPEND pairs "/${file}|${directory}/${file}")
	endforeach()
	if(EXISTS ${directory}/package-lock.json)
		web_libraries(${directory} modules)
		if(modules)
			list(APPEND pairs "/vendor/uPlot.js|${modules}/uplot/dist/uPlot.esm.js"
				"/vendor/uPlot.css|${modules}/uplot/dist/uPlot.min.css")
		endif()
	endif()
	set(declarations "")
	set(rows "")
	set(depends "")
	set(index 0)
	foreach(pair ${pairs})
		string(REPLACE "|" ";" pair ${pair})
		list(GET pair 0 path)
		list(GET pair 1 file)
		file(SHA256 ${file} digest)
		string(SUBSTRING ${digest} 0 32 digest)
		set_property(DIRECTORY APPEND PROPERTY CMAKE_CONFIGURE_DEPENDS ${file})
		string(APPEND declarations
			"__asm__(\".section .rodata\\n.balign 16\\n${target}_${index}:\\n.incbin \\\"${file}\\\"\\n${target}_${index}_end:\\n.previous\");\n"
			"extern const char ${target}_${index}[], ${target}_${index}_end[];\n")
		string(APPEND rows "\t{\"${path}\", \"\\\"${digest}\\\"\", ${target}_${index}, ${target}_${index}_end},\n")
		list(APPEND depends ${file})
		math(EXPR index "${index} + 1")
	endforeach()
	set(out ${CMAKE_CURRENT_BINARY_DIR}/${target}.c)
	file(CONFIGURE OUTPUT ${out} @ONLY CONTENT [[
/* Made by scripts/cmake/embed.cmake. */
#include "web_embedded.h"
@declarations@
const struct web_file web_files[] = {
@rows@	{0, 0, 0, 0}};
const unsigned web_files_count = sizeof(web_files) / sizeof(web_files[0]) - 1;
]])
	file(CONFIGURE OUTPUT ${CMAKE_CURRENT_BINARY_DIR}/embedded/web_embedded.h @ONLY CONTENT [[
/* The files of web/ and its libraries; made by scripts/cmake/embed.cmake. */
#ifndef WEB_EMBEDDED_H
#define WEB_EMBEDDED_H
struct web_file {
	const char *path; /* "/index.html", "/vendor/uPlot.js" */
	const char *etag; /* with quotes */
	const char *begin, *end;
};
extern const struct web_file web_files[];
extern const unsigned web_files_count;
#endif
]])
	set_source_files_properties(${out} PROPERTIES OBJECT_DEPENDS "${depends}")
	add_library(${target} STATIC ${out})
	target_include_directories(${target} PUBLIC ${CMAKE_CURRENT_BINARY_DIR}/embedded)
endfunction()
