// program.cpp - from JSON to statements.
#include "program.hpp"

#include <nlohmann/json.hpp>

#include <map>
#include <stdexcept>

namespace oracle {
namespace {

using nlohmann::json;

verb verb_of(const std::string& name) {
    static const std::map<std::string, verb> verbs{
        {"sleep", verb::sleep},
        {"mark", verb::mark},
        {"spawn", verb::spawn},
        {"cancel", verb::cancel},
        {"wait", verb::wait},
        {"await", verb::await},
        {"shield", verb::shield},
        {"group", verb::group},
        {"timeout", verb::timeout},
        {"throw", verb::throw_error},
        {"catch", verb::catch_errors},
        {"swallow", verb::swallow},
        {"finally", verb::finally},
        {"event_set", verb::event_set},
        {"event_wait", verb::event_wait},
        {"lock", verb::lock},
        {"semaphore", verb::semaphore},
        {"put", verb::put},
        {"get", verb::get},
        {"condition_wait", verb::condition_wait},
        {"notify", verb::notify},
    };
    const auto found = verbs.find(name);
    if (found == verbs.end())
        throw std::runtime_error("unknown statement \"" + name + "\"");
    return found->second;
}

block read_block(const json& statements);

statement read_statement(const json& j) {
    statement s;
    s.what = verb_of(j.at(0).get<std::string>());
    std::size_t next = 1;
    if (s.what == verb::group) {
        for (const json& child : j.at(next++))
            s.bodies.push_back(read_block(child));
    } else if (j.size() > next && j.at(next).is_number()) {
        s.number = j.at(next++).get<int>();
    }
    if (j.size() > next)
        s.body = read_block(j.at(next++));
    if (j.size() > next)
        s.second = read_block(j.at(next++));
    return s;
}

block read_block(const json& statements) {
    block b;
    for (const json& j : statements)
        b.push_back(read_statement(j));
    return b;
}

}

program parse_program(const std::string& line) {
    try {
        const json j = json::parse(line);
        program p;
        p.seed = j.at("seed").get<std::uint64_t>();
        p.main = read_block(j.at("program"));
        if (j.contains("trace"))
            p.trace = j.at("trace").dump();
        return p;
    } catch (const json::exception& e) {
        throw std::runtime_error(std::string("not a program: ") + e.what());
    }
}

std::string compare_traces(const std::string& expected, const std::string& actual) {
    if (expected == actual)
        return {};
    const json e = json::parse(expected);
    const json a = json::parse(actual);
    std::size_t i = 0;
    while (i < e.size() && i < a.size() && e[i] == a[i])
        ++i;
    const auto event = [i](const json& trace) { return i < trace.size() ? trace[i].dump() : std::string("the end"); };
    return "event " + std::to_string(i) + ": expected " + event(e) + ", came " + event(a);
}

}
