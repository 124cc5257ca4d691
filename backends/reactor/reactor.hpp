// reactor.hpp - a completion-style backend made from a poller: try, park, try again when ready.
#pragma once

#include "../common/handle_table.hpp"
#include "poller.hpp"

#include <corun/backend.hpp>

#include <memory>

namespace corun {

class reactor final : public backend {
public:
    reactor(std::unique_ptr<poller> p, std::string_view name);
    ~reactor() override;

    time_point now() const noexcept override;
    waited wait(time_point deadline, operation_list& finished) noexcept override;
    void wake() noexcept override { poller_->wake(); }

    submitted submit(operation&) noexcept override;
    void perform(operation&) noexcept override;
    bool cancel(operation&) noexcept override;

    result<handle> open(socket_type) noexcept override;
    result<handle> adopt(native_handle, handle_kind) noexcept override;
    std::error_code control(handle, control_request&) noexcept override;
    std::error_code close(handle) noexcept override;

    native_handle wait_handle() noexcept override { return poller_->wait_handle(); }
    void block(time_point deadline) noexcept override;
    bool on_news(void (*call)(void*) noexcept, void* context) noexcept override { return poller_->on_news(call, context); }
    bool catch_interrupts(interrupt_counter&) noexcept override;
    void release_interrupts(interrupt_counter&) noexcept override;
    std::string_view name() const noexcept override { return name_; }

private:
    handle bind_record(registration&, int fd, posix::descriptor_type) noexcept;
    /// For posix::open_handle() and its like.
    auto binding() noexcept {
        return [this](registration& r, int fd, posix::descriptor_type type) { return bind_record(r, fd, type); };
    }

    bool try_once(registration&, operation&) noexcept;
    bool try_accept(registration&, operation&) noexcept;
    void park(registration&, operation&) noexcept;
    void take_news(registration&) noexcept;
    void retry(registration&, operation&) noexcept;
    void leave(registration&, operation&) noexcept;
    void end_canceled(registration&, operation&) noexcept;
    void forget(registration&) noexcept;
    std::error_code release(registration&, native_handle&) noexcept;

    std::unique_ptr<poller> poller_;
    std::string_view name_;
    ready_list ready_;
    operation_list finished_;   // outside wait(), or not handed over yet
    common::handle_table<registration> records_;
};

}
