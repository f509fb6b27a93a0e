// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "load/way.hpp"
#include "transfer/peers.hpp"

namespace waybill::load {

/// A DICOM node: one object after the other by C-STORE over an association, questions by C-FIND.
class DimseTarget : public Target {
 public:
  DimseTarget(const net::Peer& peer, const Options& options) : peers_(peer, options.calling, options.timeouts) {}
  std::map<std::string, net::StorageLevel> check(const std::vector<net::Context>& sent) override {
    return peers_.check(sent);
  }
  [[nodiscard]] std::optional<std::set<std::string>> instances(const std::string& study, const std::string& series,
                                                               const std::string& instance) override {
    return peers_.instances(study, series, instance);
  }
  [[nodiscard]] std::unique_ptr<Way> way(const Lane& lane) override;

 private:
  transfer::Peers peers_;
};

}  // namespace waybill::load
