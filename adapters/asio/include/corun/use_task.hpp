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
#include <mutex>
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
/// The io_context may be another thread's; where several threads run it, composed operations need a strand, as everywhere in Asio. A
/// request to the task emits asio::cancellation_type::all, on the operation's executor; the await then waits for the completion, and
/// operation_aborted, as a code or in a std::system_error, is the cancellation. A handler that is destroyed uncalled (its context has
/// ended) counts as cancelled.
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
/// True for what asio::awaitable throws if its operation was cancelled.
inline bool is_abort(const std::exception_ptr& error) {
    try {
        std::rethrow_exception(error);
    } catch (const std::system_error& e) {
        return e.code() == asio::error::operation_aborted;
    } catch (...) {
        return false;
    }
}

template <class... Values>
struct completion<std::exception_ptr, Values...> : value_of<std::decay_t<Values>...> {
    template <class R>
    static void resolve(R& r, std::exception_ptr error, Values... values) {
        if (!error)
            r.set_value(std::move(values)...);
        else if (is_abort(error))
            r.set_aborted(std::move(error));
        else
            r.set_error(std::move(error));
    }
};

/// Between a task's request and the operation's end, on whatever threads: what has ended is asked for nothing any more, and its executor,
/// which may have gone with its context, is not touched.
class request_link {
public:
    template <class Executor>
    void request_on(const std::shared_ptr<request_link>& self, const Executor& executor) {
        const std::lock_guard lock(mutex_);   // the end waits: until then the executor is there
        if (!is_over_)
            asio::dispatch(executor, [self] { self->request(); });
    }
    void request() {
        const std::lock_guard lock(mutex_);
        if (is_over_)
            return;
        is_emitting_ = true;
        signal_.emit(asio::cancellation_type::all);
        is_emitting_ = false;
        if (is_over_)
            signal_.slot().clear();
    }
    void end() noexcept {
        const std::lock_guard lock(mutex_);
        is_over_ = true;
        if (!is_emitting_)   // else what is being called would be destroyed
            signal_.slot().clear();
    }
    asio::cancellation_slot slot() noexcept { return signal_.slot(); }

private:
    std::recursive_mutex mutex_;   // an operation may end within the emit
    asio::cancellation_signal signal_;
    bool is_over_ = false;
    bool is_emitting_ = false;
};

/// What Asio calls. It refers to nothing of the task's: time-outs of layers above may keep it for longer than the await.
template <class... Args>
class handler {
    using how = completion<Args...>;

public:
    using cancellation_slot_type = asio::cancellation_slot;

    handler(resolver<typename how::type>&& r, std::shared_ptr<request_link> l) noexcept : resolver_(std::move(r)), link_(std::move(l)) {}
    handler(handler&&) noexcept = default;
    ~handler() {
        if (!resolver_)
            return;
        link_->end();
        resolver_.set_cancelled();
    }

    void operator()(Args... args) {
        link_->end();
        how::resolve(resolver_, std::move(args)...);
    }
    cancellation_slot_type get_cancellation_slot() const noexcept { return link_->slot(); }

private:
    resolver<typename how::type> resolver_;
    std::shared_ptr<request_link> link_;
};

/// What asks an operation to end: on its executor, to which its slot belongs; one that tells none is taken to run on this thread. Asio's
/// adapters of tokens (as_tuple, redirect_error) wrap the initiation that knows it.
template <class Initiation>
auto make_request(const Initiation& initiation, std::shared_ptr<request_link> link) {
    if constexpr (requires { initiation.get_executor(); })
        return [link = std::move(link), executor = initiation.get_executor()] { link->request_on(link, executor); };
    else if constexpr (requires { initiation.initiation_; })
        return make_request(initiation.initiation_, std::move(link));
    else
        return [link = std::move(link)] { link->request(); };
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
                auto link = std::make_shared<bridge::request_link>();
                r.on_cancel(bridge::make_request(initiation, link));
                std::apply(
                    [&](auto&&... as) {
                        std::move(initiation)(bridge::handler<std::decay_t<Args>...>(std::move(r), std::move(link)), std::move(as)...);
                    },
                    std::move(args));
            });
    }
};
