# find_package(corun) offers corun::corun, corun::core and a target for each backend: corun::epoll.
include(CMakeFindDependencyMacro)
find_dependency(Threads)
include(${CMAKE_CURRENT_LIST_DIR}/corun-targets.cmake)
