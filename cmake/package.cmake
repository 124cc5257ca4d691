# cmake --install: the libraries, the headers, and what find_package(corun) reads.
include(CMakePackageConfigHelpers)

get_property(libraries GLOBAL PROPERTY CORUN_PACKAGE)
install(TARGETS ${libraries} EXPORT corun ARCHIVE DESTINATION ${CMAKE_INSTALL_LIBDIR})

get_property(includes GLOBAL PROPERTY CORUN_INCLUDE)
list(TRANSFORM includes APPEND /)
install(DIRECTORY ${includes} DESTINATION ${CMAKE_INSTALL_INCLUDEDIR} FILES_MATCHING PATTERN *.hpp)

set(where ${CMAKE_INSTALL_LIBDIR}/cmake/corun)
install(EXPORT corun NAMESPACE corun:: FILE corun-targets.cmake DESTINATION ${where})
write_basic_package_version_file(${PROJECT_BINARY_DIR}/corun-config-version.cmake COMPATIBILITY SameMinorVersion)
get_property(built GLOBAL PROPERTY CORUN_BUILT_BACKENDS)
set(backends "")
foreach(backend IN LISTS built)
    if(corun_${backend} IN_LIST libraries)
        list(APPEND backends ${backend})
    endif()
endforeach()
get_property(adapters GLOBAL PROPERTY CORUN_BUILT_ADAPTERS)
configure_file(${PROJECT_SOURCE_DIR}/cmake/corun-config.cmake.in ${PROJECT_BINARY_DIR}/corun-config.cmake @ONLY)
install(FILES ${PROJECT_BINARY_DIR}/corun-config.cmake ${PROJECT_BINARY_DIR}/corun-config-version.cmake DESTINATION ${where})
