// corun_oracle.cpp - reads programs from standard input, one a line, and prints the trace of each.
#include "interpreter.hpp"

#include <cstdio>
#include <exception>
#include <iostream>
#include <string>

int main() {
    std::ios::sync_with_stdio(false);
    std::string line;
    try {
        while (std::getline(std::cin, line)) {
            const oracle::program p = oracle::parse_program(line);
            std::cout << "{\"seed\":" << p.seed << ",\"trace\":" << oracle::run_program(p) << "}\n";
        }
    } catch (const std::exception& e) {
        std::fprintf(stderr, "corun_oracle: %s\n", e.what());
        return 1;
    }
    return 0;
}
