// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "net/association.hpp"
#include "web/answer.hpp"
#include "web/http.hpp"
#include "web/model.hpp"

#include <functional>
#include <optional>
#include <set>
#include <span>
#include <string>

namespace waybill::web {

/// One Part 10 file of a STOW-RS request, in two pieces that follow each other.
struct Part {
  ByteView head, rest;
};

/// A UID as a segment or value of an address; what a UID should not hold is escaped.
[[nodiscard]] std::string escaped(std::string_view text);

/// A user of a DICOMweb service (PS3.18) over one connection: STOW-RS, QIDO-RS, WADO-RS. One thread at a time; many may
/// exist. Functions throw net::PeerError as net::Association does, Busy among them.
class Client {
 public:
  Client(const Endpoint& endpoint, const net::Timeouts& timeouts);

  /// Throws unless a QIDO-RS service is there and lets us in.
  void check();

  /// Sends the files in one request (PS3.18 10.5). Throws PeerError when there is no connection, Lost when it broke and
  /// nobody knows what was stored.
  [[nodiscard]] StoreAnswer store(std::span<const Part> parts);

  /// SOP Instance UIDs of a study or a series, or of it only the instance asked for (PS3.18 10.6). Pages are asked for
  /// until one is empty or brings nothing new. A service may list less than it has, so only a question for one instance
  /// proves that it is not there.
  [[nodiscard]] std::set<std::string> find_study(const std::string& study);
  [[nodiscard]] std::set<std::string> find_instances(const std::string& study, const std::string& series,
                                                     const std::string& instance = "");

  /// How many instances the service says a study has (0020,1208): a hint. nullopt when it does not say one number.
  [[nodiscard]] std::optional<std::uint64_t> count_instances(const std::string& study);

  /// Retrieves a study or an instance (PS3.18 10.4) in the syntaxes it is in; `receive` gets each dataset. `status` of
  /// the result is that of HTTP. An object beyond `cap` bytes throws.
  using Receive = std::function<void(net::Received)>;
  net::GetResult get(const std::string& study, const Receive& receive,
                     std::uint64_t cap = net::Association::kMostBytes);
  net::GetResult get_instance(const std::string& study, const std::string& series, const std::string& instance,
                              const Receive& receive, std::uint64_t cap = net::Association::kMostBytes);

  [[nodiscard]] std::uint64_t number() const noexcept { return connection_.number(); }
  void close() { connection_.close(); }

 private:
  struct Page {
    std::size_t items = 0;
    std::set<std::string> uids;
  };
  [[nodiscard]] std::set<std::string> find_below(const std::string& study, const std::string& below,
                                                 const std::string& keys, const std::string& only);
  [[nodiscard]] std::optional<std::set<std::string>> find(const std::string& resource, const std::string& study);
  [[nodiscard]] std::optional<std::vector<Item>> ask(const std::string& path);
  [[nodiscard]] std::optional<Page> find_page(const std::string& path, const std::string& study);
  net::GetResult retrieve(const std::string& path, const Receive& receive, std::uint64_t cap);
  [[noreturn]] void lose(const std::string& why) const;

  Endpoint endpoint_;
  Connection connection_;
};

}  // namespace waybill::web
