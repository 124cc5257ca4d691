// asio.hpp - the Asio backend, by hand: its own io_context, or one of yours.
#pragma once

#include <corun/backend.hpp>

#include <asio/io_context.hpp>

#include <memory>

namespace corun {

/// A backend that waits with an asio::io_context of its own. Throws std::system_error.
std::unique_ptr<backend> make_asio();

/// The same with your context, whose handlers keep working: they run while corun waits. They may use corun as any callback on the loop's
/// thread, but must not run the context, and no other thread may run it meanwhile. The context must outlive the run. A handler's exception
/// ends the process: there is no step to throw it from. Throws std::system_error.
std::unique_ptr<backend> make_asio(asio::io_context& context);

}
