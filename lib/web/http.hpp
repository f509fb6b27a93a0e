// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "core/bytes.hpp"
#include "net/association.hpp"
#include "web/endpoint.hpp"

#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <span>
#include <stdexcept>
#include <string>
#include <vector>

namespace waybill::web {

/// A request left, whole or in part, and no whole answer came: what it did at the service is not known.
struct Lost : std::runtime_error {
  using std::runtime_error::runtime_error;
};

struct Request {
  enum class Method { get, post };
  Method method = Method::get;
  std::string path;                            ///< below the endpoint, "/studies"
  std::vector<std::string> headers;            ///< "Name: value"
  std::span<const ByteView> body;              ///< the pieces of it, in order
  std::chrono::milliseconds answer_within{0};  ///< of the end of the request, when more than the time-out
};

/// The head of an answer.
struct Response {
  int status = 0;
  std::string content_type, content_encoding, location;
  std::chrono::milliseconds retry_after{0};  ///< 0 when the service did not say, or named a date that has passed
  std::string warning = {};                  ///< what it gave less or ignored (PS3.18 8.3.4.2): "299 …"
};

/// One connection to a service, kept open between requests. One thread at a time.
///
/// Redirects are told, not followed, so that nothing is sent to another host; no proxy of the environment is used. A
/// request whose body has begun to travel is never repeated.
class Connection {
 public:
  Connection(const Endpoint& endpoint, const net::Timeouts& timeouts);
  ~Connection();
  Connection(Connection&&) noexcept;
  Connection& operator=(Connection&&) noexcept;

  /// Gets pieces of the answer's body; false ends the exchange.
  using Sink = std::function<bool(const Response&, ByteView)>;
  /// Throws PeerError when there is no connection and so nothing left, Lost when it broke in the middle, the peer moved
  /// less than a hundred bytes a second for as long as the time-out, or `sink` gave false; what `sink` throws is
  /// thrown.
  [[nodiscard]] Response exchange(const Request& request, const Sink& sink);
  /// With the body of the answer in `body`, of which more than `cap` bytes are Lost.
  [[nodiscard]] Response exchange(const Request& request, std::string& body, std::size_t cap);

  /// Number of this connection in the process, from 1; a new one for each time it was opened.
  [[nodiscard]] std::uint64_t number() const noexcept;
  void close();

 private:
  struct State;
  std::unique_ptr<State> state_;
};

/// Throws net::PeerError for what an answer says about the service as a whole: not authorised (401, 403), moved (3xx),
/// no such service (404, 405, 406, 410, 501); Busy for 503 and 429. `service` begins the sentence, "STOW-RS".
void check_answer(const Endpoint& endpoint, const Response& response, const std::string& service);

}  // namespace waybill::web
