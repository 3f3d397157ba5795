# Read by cpack: each package has a summary of its own; that of the project would come before it.
set(CPACK_PACKAGE_DESCRIPTION_SUMMARY "")
