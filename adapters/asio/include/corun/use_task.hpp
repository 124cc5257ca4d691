// use_task.hpp - any Asio operation awaited in a corun task: `co_await socket.async_read_some(buffer, corun::use_task)`.
#pragma once

#include <corun/from_callback.hpp>

#include <asio/associated_cancellation_slot.hpp>
#include <asio/async_result.hpp>
#include <asio/cancellation_signal.hpp>
#include <asio/dispatch.hpp>
#include <asio/error.hpp>

#include <exception>
#include <memory>
#include <system_error>
#include <tuple>
#include <type_traits>
#include <utility>

namespace corun {

/// The completion token's type; see use_task.
struct use_task_t {};

/// A completion token: the initiating function gives an awaitable for corun tasks. The operation begins when that is awaited. A first
/// std::error_code that is set is thrown as std::system_error, a first std::exception_ptr is rethrown; what is left is the value: none,
/// one, or a std::tuple. With asio::experimental::as_tuple(use_task) the error is part of the value.
///
/// The io_context may be another thread's. A request to the task emits asio::cancellation_type::all, on the operation's executor; the await
/// then waits for the completion, and operation_aborted is the cancellation. A handler that is destroyed uncalled (its context has ended)
/// counts as cancelled.
inline constexpr use_task_t use_task;

namespace detail::asio_bridge {

template <class... Values>
struct value_of {
    using type = std::tuple<Values...>;
};
template <>
struct value_of<> {
    using type = void;
};
template <class Value>
struct value_of<Value> {
    using type = Value;
};
template <class... Values>
struct completion : value_of<std::decay_t<Values>...> {
    template <class R>
    static void resolve(R& r, Values... values) {
        r.set_value(std::move(values)...);
    }
};
template <class... Values>
struct completion<std::error_code, Values...> : value_of<std::decay_t<Values>...> {
    template <class R>
    static void resolve(R& r, std::error_code error, Values... values) {
        if (error == asio::error::operation_aborted)
            r.set_aborted(error);
        else if (error)
            r.set_error(error);
        else
            r.set_value(std::move(values)...);
    }
};
template <class... Values>
struct completion<std::exception_ptr, Values...> : value_of<std::decay_t<Values>...> {
    template <class R>
    static void resolve(R& r, std::exception_ptr error, Values... values) {
        if (error)
            r.set_error(std::move(error));
        else
            r.set_value(std::move(values)...);
    }
};

/// What Asio calls. It refers to nothing of the task's: time-outs of layers above may keep it for longer than the await.
template <class... Args>
class handler {
    using how = completion<Args...>;

public:
    using cancellation_slot_type = asio::cancellation_slot;

    handler(resolver<typename how::type>&& r, std::shared_ptr<asio::cancellation_signal> s) noexcept
        : resolver_(std::move(r)), signal_(std::move(s)) {}
    handler(handler&&) noexcept = default;
    ~handler() {
        if (resolver_)
            resolver_.set_cancelled();
    }

    void operator()(Args... args) { how::resolve(resolver_, std::move(args)...); }
    cancellation_slot_type get_cancellation_slot() const noexcept { return signal_->slot(); }

private:
    resolver<typename how::type> resolver_;
    std::shared_ptr<asio::cancellation_signal> signal_;
};

/// Slots belong to the operation's executor; one that tells none is taken to run on this thread.
template <class Initiation>
auto emitter(const Initiation& initiation, std::shared_ptr<asio::cancellation_signal> signal) {
    const auto emit = [signal = std::move(signal)] { signal->emit(asio::cancellation_type::all); };
    if constexpr (requires { initiation.get_executor(); })
        return [emit, executor = initiation.get_executor()] { asio::dispatch(executor, emit); };
    else
        return emit;
}

}

}

/// Asio's hook for the token.
template <class R, class... Args>
class asio::async_result<corun::use_task_t, R(Args...)> {
public:
    template <class Initiation, class... InitArgs>
    static auto initiate(Initiation initiation, corun::use_task_t, InitArgs... args) {
        namespace bridge = corun::detail::asio_bridge;
        using value = typename bridge::completion<std::decay_t<Args>...>::type;
        return corun::from_callback<value>(
            [initiation = std::move(initiation), args = std::make_tuple(std::move(args)...)](corun::resolver<value> r) mutable {
                auto signal = std::make_shared<asio::cancellation_signal>();
                r.on_cancel(bridge::emitter(initiation, signal));
                std::apply(
                    [&](auto&&... as) {
                        std::move(initiation)(bridge::handler<std::decay_t<Args>...>(std::move(r), std::move(signal)), std::move(as)...);
                    },
                    std::move(args));
            });
    }
};
