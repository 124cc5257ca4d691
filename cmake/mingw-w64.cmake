# For Windows, from Linux: mingw-w64's compilers (Debian: g++-mingw-w64-x86-64-posix); programs are run by wine (wine64).
set(CMAKE_SYSTEM_NAME Windows)
set(CMAKE_SYSTEM_PROCESSOR x86_64)

find_program(CORUN_MINGW NAMES x86_64-w64-mingw32-g++-posix x86_64-w64-mingw32-g++ DOC "mingw-w64's compiler, with POSIX threads")
if(NOT EXISTS "${CORUN_MINGW}")
    message(FATAL_ERROR "Building for Windows needs mingw-w64's compiler with POSIX threads (Debian: g++-mingw-w64-x86-64-posix); "
                        "-DCORUN_MINGW=... names another")
endif()
set(CMAKE_CXX_COMPILER ${CORUN_MINGW})
# A test compile of CMake's is told, too.
list(APPEND CMAKE_TRY_COMPILE_PLATFORM_VARIABLES CORUN_MINGW)

set(CMAKE_FIND_ROOT_PATH /usr/x86_64-w64-mingw32)
set(CMAKE_FIND_ROOT_PATH_MODE_PROGRAM NEVER)
set(CMAKE_FIND_ROOT_PATH_MODE_LIBRARY ONLY)
set(CMAKE_FIND_ROOT_PATH_MODE_INCLUDE ONLY)
set(CMAKE_FIND_ROOT_PATH_MODE_PACKAGE ONLY)

# Nothing of the compiler's has to lie beside a program.
set(CMAKE_EXE_LINKER_FLAGS_INIT "-static")

# In a folder of its own for each build tree, so that two of them don't meet.
set(CMAKE_CROSSCOMPILING_EMULATOR ${CMAKE_CURRENT_LIST_DIR}/wine;${CMAKE_BINARY_DIR}/wine)
