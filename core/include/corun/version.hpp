// version.hpp - which corun this is, and what it asks of the compiler. Plain macros, so that a preprocessor can ask.
#pragma once

/// The version of these headers; the build and find_package() take it from here.
#define CORUN_VERSION_MAJOR 0
#define CORUN_VERSION_MINOR 1
#define CORUN_VERSION_PATCH 0

/// To compare with: 10000 a major version, 100 a minor one. 0.1.0 is 100.
#define CORUN_VERSION (CORUN_VERSION_MAJOR * 10000 + CORUN_VERSION_MINOR * 100 + CORUN_VERSION_PATCH)

#if (defined(_MSVC_LANG) ? _MSVC_LANG : __cplusplus) < 202002L
#error "corun needs C++20: give the compiler -std=c++20 or later (CMake: link corun::corun, or target_compile_features(... cxx_std_20))"
#endif
#if !defined(__cpp_exceptions)
#error "corun needs exceptions: a request to end is one; leave -fno-exceptions out"
#endif
