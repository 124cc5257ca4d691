# Built for another system, corun takes the header-only libraries that it needs from this one: they are the same everywhere. Only their
# folders are linked to, as the rest of this system's headers is not for the other one.
set(CORUN_HOST_INCLUDE /usr/include CACHE PATH "Cross builds: where the folders of fmt, catch2 and nlohmann lie")

function(corun_host_headers target folder)
    if(TARGET ${target} OR NOT IS_DIRECTORY ${CORUN_HOST_INCLUDE}/${folder})
        return()
    endif()
    set(headers ${PROJECT_BINARY_DIR}/host_headers)
    file(MAKE_DIRECTORY ${headers})
    file(CREATE_LINK ${CORUN_HOST_INCLUDE}/${folder} ${headers}/${folder} SYMBOLIC)
    add_library(${target} INTERFACE IMPORTED GLOBAL)
    target_include_directories(${target} SYSTEM INTERFACE ${headers})
endfunction()

corun_host_headers(fmt::fmt-header-only fmt)
if(TARGET fmt::fmt-header-only)
    set_property(TARGET fmt::fmt-header-only APPEND PROPERTY INTERFACE_COMPILE_DEFINITIONS FMT_HEADER_ONLY=1)
endif()
corun_host_headers(Catch2::Catch2 catch2)
corun_host_headers(nlohmann_json::nlohmann_json nlohmann)
corun_host_headers(CLI11::CLI11 CLI)
