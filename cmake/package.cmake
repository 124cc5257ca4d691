# cmake --install: the libraries, the headers, the licence, and what find_package(corun) and pkg-config read.
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
configure_package_config_file(${PROJECT_SOURCE_DIR}/cmake/corun-config.cmake.in ${PROJECT_BINARY_DIR}/corun-config.cmake
    INSTALL_DESTINATION ${where} NO_SET_AND_CHECK_MACRO)
install(FILES ${PROJECT_BINARY_DIR}/corun-config.cmake ${PROJECT_BINARY_DIR}/corun-config-version.cmake DESTINATION ${where})

install(FILES ${PROJECT_SOURCE_DIR}/LICENSE DESTINATION ${CMAKE_INSTALL_DOCDIR})

# For those who build without CMake. The order counts: the default backend's object is found before the core's stand-in for it.
get_property(default GLOBAL PROPERTY CORUN_DEFAULT_BACKEND)
set(pc_requires "")
if(default STREQUAL io_uring)
    set(pc_requires liburing)
elseif(default STREQUAL libuv)
    set(pc_requires libuv)
endif()
if(UNIX)
    configure_file(${PROJECT_SOURCE_DIR}/cmake/corun.pc.in ${PROJECT_BINARY_DIR}/corun.pc @ONLY)
    install(FILES ${PROJECT_BINARY_DIR}/corun.pc DESTINATION ${CMAKE_INSTALL_LIBDIR}/pkgconfig)
endif()
