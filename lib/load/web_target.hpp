// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "load/way.hpp"
#include "web/client.hpp"

#include <atomic>
#include <mutex>

namespace waybill::load {

/// A DICOMweb service: many objects of a study in one STOW-RS request, questions by QIDO-RS.
///
/// STOW-RS negotiates nothing: what the service takes is known once it refuses something. A transfer syntax that it
/// refused for a class (C122, or 415 to a single object) is not sent again in this run, the object goes down the
/// ladder.
class WebTarget : public Target {
 public:
  WebTarget(web::Endpoint endpoint, const Options& options);
  std::map<std::string, net::StorageLevel> check(const std::vector<net::Context>& sent) override;
  [[nodiscard]] std::optional<std::set<std::string>> instances(const std::string& study, const std::string& series,
                                                               const std::string& instance) override;
  [[nodiscard]] std::unique_ptr<Way> way(const Lane& lane) override;

  [[nodiscard]] bool takes(const std::vector<net::Context>& needed, const net::Context& one) const;
  void note_taken(const net::Context& context);
  void note_refused(const net::Context& context);
  [[nodiscard]] std::uint64_t most_bytes() const noexcept { return most_bytes_.load(); }
  void shrink(std::uint64_t bytes);
  /// A request of several objects got its answer, or none. Two without one are as if they had been too large: some
  /// services end the connection then.
  void note(bool answered, std::uint64_t bytes);

  [[nodiscard]] const web::Endpoint& endpoint() const noexcept { return endpoint_; }

 private:
  const web::Endpoint endpoint_;
  const Options& options_;
  std::atomic<std::uint64_t> most_bytes_;
  std::atomic<int> unanswered_{0};  // in a row
  mutable std::mutex contexts_mutex_;
  std::set<net::Context> refused_, taken_;
  std::mutex ask_mutex_;
  web::Client asker_;  // under ask_mutex_
};

}  // namespace waybill::load
