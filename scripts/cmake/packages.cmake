# Debian packages by CPack: trackerd (daemon and page), trk (CLI), libtrk1, libtrk-dev. scripts/package makes them, for
# the prefix /usr; under any other nobody would look for units and for /etc.
if(NOT CMAKE_INSTALL_PREFIX STREQUAL "/usr")
	return()
endif()
set(package_source ${PROJECT_SOURCE_DIR}/scripts/debian)
set(unit_dir lib/systemd/system)

set(CPACK_PACKAGE_VERSION ${PROJECT_VERSION})
if(TRACKERD_PACKAGE_VERSION)
	set(CPACK_PACKAGE_VERSION ${TRACKERD_PACKAGE_VERSION})
endif()
set(CPACK_PACKAGE_CONTACT "The trackerd authors <trackerd@localhost>")

# ---- what else is installed --------------------------------------------------------------------------------------
configure_file(${PROJECT_SOURCE_DIR}/trackerd/systemd/trackerd.service.in trackerd.service @ONLY)
configure_file(${PROJECT_SOURCE_DIR}/client/systemd/trk-deploy@.service.in trk-deploy@.service @ONLY)
configure_file(${package_source}/changelog.in changelog @ONLY)
execute_process(COMMAND gzip -9nfk changelog WORKING_DIRECTORY ${CMAKE_CURRENT_BINARY_DIR} COMMAND_ERROR_IS_FATAL ANY)

# package_files NAME: what every Debian package carries.
function(package_files name)
	set(doc_dir ${CMAKE_INSTALL_DATADIR}/doc/${name})
	install(FILES ${PROJECT_SOURCE_DIR}/LICENSE DESTINATION ${doc_dir} COMPONENT ${name} RENAME copyright)
	install(FILES ${CMAKE_CURRENT_BINARY_DIR}/changelog.gz DESTINATION ${doc_dir} COMPONENT ${name})
endfunction()

# manual PROGRAM WHATIS: its page, made from what --help prints.
find_program(HELP2MAN help2man)
function(manual program whatis)
	if(NOT HELP2MAN)
		return()
	endif()
	set(page ${CMAKE_CURRENT_BINARY_DIR}/${program}.1.gz)
	add_custom_command(OUTPUT ${page}
		COMMAND ${HELP2MAN} --no-info --name ${whatis} --output ${program}.1 $<TARGET_FILE:${program}>
		COMMAND gzip -9nf ${program}.1
		DEPENDS ${program} VERBATIM)
	add_custom_target(${program}_manual ALL DEPENDS ${page})
	install(FILES ${page} DESTINATION ${CMAKE_INSTALL_MANDIR}/man1 COMPONENT ${program})
endfunction()

install(FILES ${CMAKE_CURRENT_BINARY_DIR}/trackerd.service DESTINATION ${unit_dir} COMPONENT trackerd)
install(FILES ${PROJECT_SOURCE_DIR}/trackerd/systemd/trackerd.conf DESTINATION /etc/trackerd
	COMPONENT trackerd)
install(FILES ${CMAKE_CURRENT_BINARY_DIR}/trk-deploy@.service DESTINATION ${unit_dir} COMPONENT trk)
install(DIRECTORY DESTINATION /etc/trackerd/deploy COMPONENT trk)
manual(trackerd "experiment tracker and model registry")
manual(trk "command line of an experiment tracker and model registry")
foreach(name trackerd trk libtrk1 libtrk-dev)
	package_files(${name})
endforeach()

# ---- packages ----------------------------------------------------------------------------------------------------
set(CPACK_GENERATOR DEB)
set(CPACK_PACKAGE_NAME trackerd)
set(CPACK_PACKAGE_VENDOR "trackerd")
set(CPACK_PROJECT_CONFIG_FILE ${package_source}/cpack.cmake)
set(CPACK_PACKAGING_INSTALL_PREFIX /usr)
set(CPACK_PACKAGE_DIRECTORY ${CMAKE_BINARY_DIR}/packages)
set(CPACK_STRIP_FILES ON)
set(CPACK_DEB_COMPONENT_INSTALL ON)
set(CPACK_COMPONENTS_ALL trackerd trk libtrk1 libtrk-dev)
set(CPACK_COMPONENTS_GROUPING IGNORE)
set(CPACK_DEBIAN_FILE_NAME DEB-DEFAULT)
set(CPACK_DEBIAN_COMPRESSION_TYPE xz)
set(CPACK_DEBIAN_PACKAGE_CONTROL_STRICT_PERMISSION ON)
set(CPACK_DEBIAN_PACKAGE_SHLIBDEPS ON)
set(CPACK_DEBIAN_PACKAGE_GENERATE_SHLIBS ON)

# debian_package NAME SECTION SUMMARY DESCRIPTION
macro(debian_package name section summary description)
	string(TOUPPER ${name} upper)
	set(CPACK_COMPONENT_${upper}_DESCRIPTION "${summary}\n${description}")
	set(CPACK_DEBIAN_${upper}_PACKAGE_NAME ${name})
	set(CPACK_DEBIAN_${upper}_DESCRIPTION "${summary}\n${description}")
	set(CPACK_DEBIAN_${upper}_PACKAGE_SECTION ${section})
endmacro()
debian_package(trackerd net "experiment tracker and model registry"
	"A daemon that keeps the runs, metrics and artifacts of machine learning
experiments and the models that came of them, speaks the REST API of MLflow,
and serves a web page of it all.")
set(CPACK_DEBIAN_TRACKERD_PACKAGE_DEPENDS "adduser, init-system-helpers (>= 1.54)")
# Loaded when the first webhook is delivered.
set(CPACK_DEBIAN_TRACKERD_PACKAGE_RECOMMENDS "libcurl4 | libcurl4t64, ca-certificates")
set(CPACK_DEBIAN_TRACKERD_PACKAGE_SUGGESTS "trk")
set(CPACK_DEBIAN_TRACKERD_PACKAGE_CONTROL_EXTRA
	"${CMAKE_CURRENT_BINARY_DIR}/trackerd.control/conffiles;${CMAKE_CURRENT_BINARY_DIR}/trackerd.control/postinst;\
${CMAKE_CURRENT_BINARY_DIR}/trackerd.control/prerm;${CMAKE_CURRENT_BINARY_DIR}/trackerd.control/postrm")
debian_package(trk net "command line of an experiment tracker and model registry"
	"Logs runs from scripts; finds the best; registers, promotes, deploys and
serves models of a trackerd server.")
set(CPACK_DEBIAN_TRK_PACKAGE_CONTROL_EXTRA
	"${CMAKE_CURRENT_BINARY_DIR}/trk.control/postinst;${CMAKE_CURRENT_BINARY_DIR}/trk.control/prerm;\
${CMAKE_CURRENT_BINARY_DIR}/trk.control/postrm")
debian_package(libtrk1 libs "experiment tracking for programs in C and C++"
	"Logs parameters, metrics and files of a training program to a trackerd
server, without making it wait.")
set(CPACK_DEBIAN_LIBTRK1_PACKAGE_CONTROL_EXTRA "${CMAKE_CURRENT_BINARY_DIR}/libtrk1.control/triggers")
debian_package(libtrk-dev libdevel "experiment tracking for programs in C and C++: what compiling needs"
	"Header, static library, pkg-config file and CMake package of libtrk.")
# trk.pc names the other libraries as private, which pkg-config wants to find even for the shared library.
set(CPACK_DEBIAN_LIBTRK-DEV_PACKAGE_DEPENDS
	"libtrk1 (= ${CPACK_PACKAGE_VERSION}), libcurl4-openssl-dev | libcurl-dev, libssl-dev")

# Maintainer scripts under the names that dpkg knows.
foreach(script trackerd.postinst trackerd.prerm trackerd.postrm trackerd.conffiles trk.postinst trk.prerm trk.postrm
	libtrk1.triggers)
	string(REPLACE "." ".control/" named ${script})
	configure_file(${package_source}/${script} ${CMAKE_CURRENT_BINARY_DIR}/${named} COPYONLY)
endforeach()
include(CPack)
