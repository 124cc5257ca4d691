// corun_oracle.cpp - runs the programs of standard input, one a line, and prints the trace of each; or compares with a file's traces.
#include "interpreter.hpp"

#include <cstdio>
#include <exception>
#include <fstream>
#include <iostream>
#include <stdexcept>
#include <string>

namespace {

void print_traces(std::istream& programs) {
    std::string line;
    while (std::getline(programs, line)) {
        const oracle::program p = oracle::parse_program(line);
        std::cout << "{\"seed\":" << p.seed << ",\"trace\":" << oracle::run_program(p) << "}\n";
    }
}

/// How many traces differ; the first difference of each is told.
int check_traces(const char* path) {
    std::ifstream programs(path);
    if (!programs)
        throw std::runtime_error(std::string("can't read ") + path);
    int differing = 0;
    int count = 0;
    std::string line;
    for (; std::getline(programs, line); ++count) {
        const oracle::program p = oracle::parse_program(line);
        if (const std::string difference = oracle::compare_traces(p.trace, oracle::run_program(p)); !difference.empty()) {
            std::printf("seed %llu: %s\n", static_cast<unsigned long long>(p.seed), difference.c_str());
            ++differing;
        }
    }
    std::printf("%d programs, %d traces differ\n", count, differing);
    if (count == 0)
        throw std::runtime_error(std::string("no program in ") + path);
    return differing;
}

}

int main(int argc, char* argv[]) {
    std::ios::sync_with_stdio(false);
    try {
        if (argc == 3 && std::string(argv[1]) == "--check")
            return check_traces(argv[2]) == 0 ? 0 : 1;
        print_traces(std::cin);
    } catch (const std::exception& e) {
        std::fprintf(stderr, "corun_oracle: %s\n", e.what());
        return 2;
    }
    return 0;
}
