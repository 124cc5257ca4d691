# Clang counts the lines of tests/coverage/counted.txt. Its own options rather than its driver's, and paths from the build tree on: with the
# driver's, or with an absolute path, ccache would not give one clone what another has compiled.
if(NOT CMAKE_CXX_COMPILER_ID STREQUAL "Clang")
    message(FATAL_ERROR "CORUN_COVERAGE needs Clang; this is ${CMAKE_CXX_COMPILER_ID}")
endif()
set(counted ${PROJECT_SOURCE_DIR}/tests/coverage/counted.txt)
set(compilation_dir "")
if(CMAKE_GENERATOR MATCHES "Ninja")   # it compiles in the build tree's own folder
    file(RELATIVE_PATH counted ${CMAKE_BINARY_DIR} ${counted})
    set(compilation_dir "SHELL:-Xclang -fcoverage-compilation-dir=.")
endif()
add_compile_options("SHELL:-Xclang -fprofile-instrument=clang" "SHELL:-Xclang -fcoverage-mapping" ${compilation_dir}
                    "SHELL:-Xclang -fprofile-list=${counted}" "SHELL:-mllvm -runtime-counter-relocation")
add_link_options(-fprofile-instr-generate)
