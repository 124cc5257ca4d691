# What corun's own targets have in common.
include(GNUInstallDirs)

# corun_add_library(name [NOT_INSTALLED] sources... [INCLUDE folder]): corun::<name>, and in the package it and its headers.
function(corun_add_library name)
    cmake_parse_arguments(PARSE_ARGV 1 arg "NOT_INSTALLED" "INCLUDE" "")
    add_library(corun_${name} STATIC ${arg_UNPARSED_ARGUMENTS})
    add_library(corun::${name} ALIAS corun_${name})
    set_target_properties(corun_${name} PROPERTIES EXPORT_NAME ${name} LINKER_LANGUAGE CXX)
    target_compile_features(corun_${name} PUBLIC cxx_std_20)
    corun_warn(corun_${name})
    if(arg_INCLUDE)
        target_include_directories(corun_${name} PUBLIC $<BUILD_INTERFACE:${arg_INCLUDE}> $<INSTALL_INTERFACE:${CMAKE_INSTALL_INCLUDEDIR}>)
    endif()
    if(NOT arg_NOT_INSTALLED)
        set_property(GLOBAL APPEND PROPERTY CORUN_INCLUDE ${arg_INCLUDE})
        set_property(GLOBAL APPEND PROPERTY CORUN_PACKAGE corun_${name})
    endif()
endfunction()

# A program of ours: the examples, the tests.
function(corun_add_program name)
    add_executable(${name} ${ARGN})
    set_target_properties(${name} PROPERTIES CXX_EXTENSIONS OFF)
    corun_warn(${name})
endfunction()

# Our own sources compile without a warning; whoever embeds corun is not held up by the ones of a newer compiler.
function(corun_warn target)
    if(MSVC)
        target_compile_options(${target} PRIVATE /W4 $<$<BOOL:${PROJECT_IS_TOP_LEVEL}>:/WX>)
    else()
        # GCC 12 takes "text" + std::string for an overlapping copy when it optimises (its bug 105651).
        set(before_13 $<AND:$<CXX_COMPILER_ID:GNU>,$<VERSION_LESS:$<CXX_COMPILER_VERSION>,13>>)
        target_compile_options(${target} PRIVATE -Wall -Wextra -Wpedantic -Wshadow -Wconversion $<${before_13}:-Wno-restrict>
                               $<$<BOOL:${PROJECT_IS_TOP_LEVEL}>:-Werror>)
    endif()
endfunction()
