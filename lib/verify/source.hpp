// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "manifest/record.hpp"
#include "net/association.hpp"
#include "transfer/address.hpp"
#include "transfer/options.hpp"

#include <array>
#include <functional>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <vector>

namespace waybill::verify {

/// A connection with the peer: what it lists, and what it gives back. One thread. All throw net::PeerError.
class Session {
 public:
  using Receive = std::function<void(net::Received)>;
  virtual ~Session() = default;
  /// All SOP Instance UIDs of a study, as far as the peer lists them.
  [[nodiscard]] virtual std::set<std::string> find_study(const std::string& study) = 0;
  /// Of one instance: it, or nothing.
  [[nodiscard]] virtual std::set<std::string> find_instance(const std::string& study, const std::string& series,
                                                            const std::string& instance) = 0;
  /// How many instances the peer says the study has; a hint.
  [[nodiscard]] virtual std::optional<std::uint64_t> count_instances(const std::string& study) = 0;
  virtual net::GetResult get(const std::string& study, const Receive& receive) = 0;
  virtual net::GetResult get_instance(const std::string& study, const std::string& series, const std::string& instance,
                                      const Receive& receive) = 0;
  /// C-MOVE, as net::Association::move(); nothing for other peers.
  virtual net::Association::Moved move(const std::array<std::string, 3>& uids, const std::string& destination,
                                       const std::function<bool()>& go_on) = 0;
  /// What retrieves objects, "C-GET", in findings.
  [[nodiscard]] virtual const char* service() const = 0;
};

/// Where objects are looked for: a DICOM node (C-FIND, C-GET) or a DICOMweb service (QIDO-RS, WADO-RS). Any thread.
class Source {
 public:
  virtual ~Source() = default;
  /// Throws net::PeerError unless the peer is there and lets us in.
  virtual void check() = 0;
  /// Calls `work` with a connection that can find the study of `objects` and, when `retrieves`, get them. The
  /// connection is kept for the next study unless `work` throws. Throws net::PeerError, web::Busy among them, when
  /// there is none.
  virtual void with_session(const std::string& study, const std::vector<manifest::Object>& objects, bool retrieves,
                            const std::function<void(Session&)>& work) = 0;
};
/// How objects come from a DICOM node: C-GET, or C-MOVE to our own listener.
enum class Retrieve { get, move };
[[nodiscard]] std::unique_ptr<Source> make_source(const transfer::Address& address, const transfer::Options& options,
                                                  Retrieve retrieve = Retrieve::get);

}  // namespace waybill::verify
