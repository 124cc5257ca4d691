# Faster builds where the tools are there; whoever embeds corun decides for himself.
if(NOT PROJECT_IS_TOP_LEVEL)
    return()
endif()

find_program(CORUN_CCACHE ccache)
if(CORUN_CCACHE AND NOT DEFINED CMAKE_CXX_COMPILER_LAUNCHER)
    set(CMAKE_CXX_COMPILER_LAUNCHER ${CORUN_CCACHE})
endif()

find_program(CORUN_MOLD mold)
if(CORUN_MOLD AND NOT WIN32)
    add_link_options(-fuse-ld=mold)
endif()

set(CMAKE_EXPORT_COMPILE_COMMANDS ON)
