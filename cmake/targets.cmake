# What corun's own targets have in common.
include(GNUInstallDirs)

# corun_add_library(name [NOT_INSTALLED] sources... [INCLUDE folder]): corun::<name>, and in the package it and its headers.
function(corun_add_library name)
    cmake_parse_arguments(PARSE_ARGV 1 arg "NOT_INSTALLED" "INCLUDE" "")
    add_library(corun_${name} STATIC ${arg_UNPARSED_ARGUMENTS})
    add_library(corun::${name} ALIAS corun_${name})
    set_target_properties(corun_${name} PROPERTIES EXPORT_NAME ${name} LINKER_LANGUAGE CXX)
    target_compile_features(corun_${name} PUBLIC cxx_std_20)
    corun_compile_library(corun_${name})
    if(arg_INCLUDE)
        target_include_directories(corun_${name} PUBLIC $<BUILD_INTERFACE:${arg_INCLUDE}> $<INSTALL_INTERFACE:${CMAKE_INSTALL_INCLUDEDIR}>)
    endif()
    if(NOT arg_NOT_INSTALLED)
        set_property(GLOBAL APPEND PROPERTY CORUN_INCLUDE ${arg_INCLUDE})
        set_property(GLOBAL APPEND PROPERTY CORUN_PACKAGE corun_${name})
    endif()
endfunction()

# A static library of ours may be linked into a shared one: a plugin, a module of Python's or Node's. What the compiler may replace at run time
# it would not inline; nothing of corun's is replaced so.
function(corun_compile_library target)
    corun_warn(${target})
    if(NOT DEFINED CMAKE_POSITION_INDEPENDENT_CODE)
        set_target_properties(${target} PROPERTIES POSITION_INDEPENDENT_CODE ON)
    endif()
    if(CMAKE_SYSTEM_NAME STREQUAL Linux)
        target_compile_options(${target} PRIVATE -fno-semantic-interposition)
    endif()
endfunction()

# A program of ours: the examples, the tests.
function(corun_add_program name)
    add_executable(${name} ${ARGN})
    set_target_properties(${name} PROPERTIES CXX_EXTENSIONS OFF)
    corun_warn(${name})
endfunction()

# Our own sources compile without a warning: the presets make each one an error; nobody else is held up by the ones of a newer compiler.
function(corun_warn target)
    # Sources with an unnamed namespace each are not put together into one.
    set_target_properties(${target} PROPERTIES UNITY_BUILD OFF)
    if(MSVC)
        target_compile_options(${target} PRIVATE /W4 $<$<BOOL:${CORUN_WERROR}>:/WX>)
    else()
        # GCC 12 takes "text" + std::string for an overlapping copy when it optimises (its bug 105651).
        set(before_13 $<AND:$<CXX_COMPILER_ID:GNU>,$<VERSION_LESS:$<CXX_COMPILER_VERSION>,13>>)
        # GCC's -Wnon-virtual-dtor calls a protected destructor accessible where the class has a friend: Clang's only.
        target_compile_options(${target} PRIVATE -Wall -Wextra -Wpedantic -Wshadow -Wconversion $<${before_13}:-Wno-restrict>
                               $<$<CXX_COMPILER_ID:Clang,AppleClang>:-Wnon-virtual-dtor> $<$<BOOL:${CORUN_WERROR}>:-Werror>)
    endif()
endfunction()
