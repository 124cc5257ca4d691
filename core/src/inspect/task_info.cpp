// task_info.cpp - see task_info.hpp.
#include <corun/task_info.hpp>

#include <iterator>
#include <utility>

namespace corun {

task_list::~task_list() {
    // Each level's tasks are taken out before the level goes. Without memory for that, a level is destroyed inside the one above.
    try {
        while (!empty()) {
            task_list inner = std::move(back().children);
            pop_back();
            if (empty())
                swap(inner);
            else
                insert(end(), std::make_move_iterator(inner.begin()), std::make_move_iterator(inner.end()));
        }
    } catch (...) {
    }
}

}
