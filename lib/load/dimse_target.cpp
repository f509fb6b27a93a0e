// SPDX-License-Identifier: Apache-2.0
#include "load/dimse_target.hpp"

#include <algorithm>

namespace waybill::load {

namespace {

constexpr std::chrono::milliseconds kFirstWait{500};
constexpr std::chrono::seconds kMostWait{15};

bool proposes_all(const net::Association& association, const std::vector<net::Context>& contexts) {
  const auto& proposed = association.proposed();
  return std::ranges::all_of(contexts, [&](const auto& context) { return std::ranges::count(proposed, context) != 0; });
}

class DimseWay : public Way {
 public:
  DimseWay(const Lane& lane, transfer::Peers& peers) : lane_(lane), peers_(peers) {}

  [[nodiscard]] bool grants(const std::vector<net::Context>& needed, const net::Context& one) override {
    return association(needed).accepted(one);
  }
  [[nodiscard]] Room room() const override { return {}; }
  [[nodiscard]] std::vector<Answer> store(std::span<const Outgoing> objects) override;
  void shrink(std::uint64_t) override {}
  [[nodiscard]] std::uint64_t number() const override { return number_; }
  void rest() override { association_.reset(); }

 private:
  [[nodiscard]] net::Association& association(const std::vector<net::Context>& needed);

  const Lane lane_;
  transfer::Peers& peers_;
  std::optional<net::Association> association_;
  std::uint64_t number_ = 0;
};

/// The association, opened when there is none that fits. A peer that takes no more of them while others of ours stand
/// is full, not broken: then this lane waits for its turn.
net::Association& DimseWay::association(const std::vector<net::Context>& needed) {
  if (association_ && (!association_->usable() || !proposes_all(*association_, needed))) association_.reset();
  auto wait = kFirstWait;
  for (int tries = 1; !association_; ++tries) {
    try {
      association_ = peers_.open(contexts_to_propose(needed, lane_.contexts));
    } catch (const net::PeerError& error) {
      if (error.kind() != net::PeerError::Kind::rejected_transient || lane_.control.stopping()) throw;
      lane_.events.trouble();
      if (!lane_.events.others_work() && tries > static_cast<int>(lane_.options.retries)) throw;
      lane_.control.wait_for(lane_.breaker.jittered(wait));
      wait = std::min<std::chrono::milliseconds>(2 * wait, kMostWait);
      if (lane_.control.stopping()) throw;
    }
  }
  return *association_;
}

std::vector<Answer> DimseWay::store(std::span<const Outgoing> objects) {
  std::vector<Answer> answers;
  for (const Outgoing& out : objects) {
    net::Association& way = association({out.prepared.context});
    number_ = way.number();
    const net::StoreResult result = way.store(out.prepared.context, *out.object.sop_instance, out.prepared.dataset);
    Answer& answer = answers.emplace_back();
    answer.kind = !result.sent ? Answer::Kind::not_granted : result.status ? Answer::Kind::status : Answer::Kind::none;
    answer.status = result.status.value_or(0);
    answer.comment = result.comment;
    answer.error = result.error;
    answer.offending = result.offending;
  }
  return answers;
}

}  // namespace

std::unique_ptr<Way> DimseTarget::way(const Lane& lane) { return std::make_unique<DimseWay>(lane, peers_); }

std::vector<net::Context> contexts_to_propose(std::vector<net::Context> needed,
                                              const std::vector<net::Context>& wanted) {
  for (const net::Context& context : wanted) {
    if (needed.size() >= net::kMaxContexts) break;
    if (std::ranges::count(needed, context) == 0) needed.push_back(context);
  }
  return needed;
}

}  // namespace waybill::load
