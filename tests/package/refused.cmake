# Configures `source` with `options`, which has to fail with `text` among what it says.
file(REMOVE_RECURSE ${tree})
execute_process(COMMAND ${CMAKE_COMMAND} -S ${source} -B ${tree} ${options}
    RESULT_VARIABLE code OUTPUT_VARIABLE output ERROR_VARIABLE output)
file(REMOVE_RECURSE ${tree})

string(REGEX REPLACE "[ \n]+" " " flat "${output}")   # CMake breaks lines where it likes
string(FIND "${flat}" "${text}" place)
if(code EQUAL 0)
    message(FATAL_ERROR "it was configured; expected was: ${text}")
elseif(place EQUAL -1)
    message(FATAL_ERROR "it was refused with another text; expected was: ${text}\nbut found:\n${output}")
endif()
message(STATUS "refused: ${text}")
