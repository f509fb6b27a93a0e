// SPDX-License-Identifier: Apache-2.0
#include "load/web_target.hpp"

#include "dicom/rewrite.hpp"
#include "load/dimse_target.hpp"

#include <algorithm>

namespace waybill::load {

namespace {

using Kind = Answer::Kind;

constexpr std::size_t kMostObjects = 1000;  // of a request
constexpr std::uint64_t kLeastBytes = std::uint64_t{64} << 10U;
constexpr std::uint16_t kNotAuthorised = 0x0124;

/// What the status of HTTP says about every object that the body does not name.
Answer answer_to_all(const web::Response& response, bool alone) {
  Answer answer;
  answer.comment = "HTTP " + std::to_string(response.status);
  answer.error = answer.comment + " without a word on the object";
  answer.retry_after = response.retry_after;
  switch (response.status) {
    case 401:
    case 403:
      answer.kind = Kind::status;
      answer.status = kNotAuthorised;
      break;
    case 413: answer.kind = Kind::too_large; break;
    case 415: answer.kind = alone ? Kind::syntax : Kind::declined; break;
    case 429:
    case 503:
    case 507: answer.kind = Kind::busy; break;
    case 400:
    case 409:
    case 411:
    case 422: answer.kind = Kind::declined; break;
    default: break;  // 2xx that names it nowhere, 408, 500, 502, 504 and whatever else: nobody knows
  }
  return answer;
}

class WebWay : public Way {
 public:
  WebWay(const Lane& lane, WebTarget& target)
      : lane_(lane), target_(target), client_(target.endpoint(), lane.options.timeouts) {}

  [[nodiscard]] bool grants(const std::vector<net::Context>& needed, const net::Context& one) override {
    return target_.takes(needed, one);
  }
  /// A limit of the sender is kept from second to second, so no request carries more than a second of it.
  [[nodiscard]] Room room() const override {
    const transfer::Limit limit = lane_.control.limit();
    Room room{kMostObjects, target_.most_bytes()};
    if (limit.objects > 0)
      room.objects = std::clamp<std::size_t>(static_cast<std::size_t>(limit.objects), 1, kMostObjects);
    if (limit.bytes > 0) room.bytes = std::min(room.bytes, static_cast<std::uint64_t>(limit.bytes));
    return room;
  }
  [[nodiscard]] std::vector<Answer> store(std::span<const Outgoing> objects) override;
  void shrink(std::uint64_t bytes) override { target_.shrink(bytes); }
  [[nodiscard]] std::uint64_t number() const override { return client_.number(); }
  void rest() override { client_.close(); }

 private:
  [[nodiscard]] Answer answer_to(const Outgoing& out, const web::StoreAnswer& said, bool alone) const;

  const Lane lane_;
  WebTarget& target_;
  web::Client client_;
};

Answer WebWay::answer_to(const Outgoing& out, const web::StoreAnswer& said, bool alone) const {
  Answer answer = answer_to_all(said.response, alone);
  const auto own = said.instances.find(*out.object.sop_instance);
  if (own != said.instances.end() || (alone && said.other_failure)) {
    answer.status = own != said.instances.end() ? own->second : *said.other_failure;
    answer.kind = answer.status == web::kSyntaxRefused ? Kind::syntax : Kind::status;
    if (said.response.status == 200) answer.comment.clear();
  } else if (said.other_failure && answer.kind == Kind::none) {
    answer.kind = Kind::declined;  // one of these it was
  }
  if (answer.kind == Kind::syntax) {
    answer.status = web::kSyntaxRefused;
    target_.note_refused(out.prepared.context);
  }
  if (answer.kind == Kind::status && answer.status == 0) target_.note_taken(out.prepared.context);
  return answer;
}

std::vector<Answer> WebWay::store(std::span<const Outgoing> objects) {
  std::vector<Bytes> heads(objects.size());
  std::vector<web::Part> parts;
  for (std::size_t i = 0; i < objects.size(); ++i) {
    const Prepared& prepared = objects[i].prepared;
    if (prepared.part10.empty())
      heads[i] = dicom::file_head(prepared.context.sop_class, *objects[i].object.sop_instance,
                                  prepared.context.transfer_syntax);
    parts.push_back(prepared.part10.empty() ? web::Part{heads[i], prepared.dataset} : web::Part{prepared.part10, {}});
  }
  std::vector<Answer> answers(objects.size());
  try {
    const web::StoreAnswer said = client_.store(parts);
    const int status = said.response.status;
    const bool about_service = status == 404 || status == 405 || status == 406 || status == 410 || status == 501;
    if (about_service || (status >= 300 && status < 400))
      web::check_answer(target_.endpoint(), said.response, "STOW-RS");
    if (objects.size() > 1) target_.note(true, 0);
    for (std::size_t i = 0; i < objects.size(); ++i) answers[i] = answer_to(objects[i], said, objects.size() == 1);
  } catch (const web::Lost& lost) {
    for (Answer& answer : answers) answer.error = lost.what();
    std::uint64_t bytes = 0;
    for (const Outgoing& out : objects) bytes += out.prepared.size();
    if (objects.size() > 1) target_.note(false, bytes);
  }
  for (Answer& answer : answers) answer.service = "STOW-RS";
  return answers;
}

}  // namespace

WebTarget::WebTarget(web::Endpoint endpoint, const Options& options)
    : endpoint_(std::move(endpoint)),
      options_(options),
      most_bytes_(options.batch_bytes),
      asker_(endpoint_, options.timeouts) {}

std::map<std::string, net::StorageLevel> WebTarget::check(const std::vector<net::Context>&) {
  const std::lock_guard lock(ask_mutex_);
  asker_.check();
  return {};
}

std::optional<std::set<std::string>> WebTarget::instances(const std::string& study, const std::string& series,
                                                          const std::string& instance) {
  using ErrorKind = net::PeerError::Kind;
  const std::lock_guard lock(ask_mutex_);
  for (bool again = false;; again = true) {
    try {
      return asker_.find_instances(study, series, instance);
    } catch (const net::PeerError& error) {
      if (error.kind() == ErrorKind::refused) return std::nullopt;
      if (again || error.kind() != ErrorKind::unreachable) throw;  // an old connection may have ended meanwhile
    }
  }
}

bool WebTarget::takes(const std::vector<net::Context>& needed, const net::Context& one) const {
  const std::lock_guard lock(contexts_mutex_);
  return !refused_.contains(one) ||
         std::ranges::none_of(needed, [&](const net::Context& other) { return taken_.contains(other); });
}

void WebTarget::note_taken(const net::Context& context) {
  const std::lock_guard lock(contexts_mutex_);
  taken_.insert(context);
  refused_.erase(context);
}

void WebTarget::note_refused(const net::Context& context) {
  const std::lock_guard lock(contexts_mutex_);
  if (taken_.contains(context) || !refused_.insert(context).second || !options_.say) return;
  options_.say(endpoint_.url() + " does not take class " + context.sop_class + " in transfer syntax " +
               context.transfer_syntax);
}

void WebTarget::shrink(std::uint64_t bytes) {
  const std::uint64_t half = std::max(kLeastBytes, bytes / 2);
  std::uint64_t now = most_bytes_.load();
  while (half < now && !most_bytes_.compare_exchange_weak(now, half)) {
  }
}

void WebTarget::note(bool answered, std::uint64_t bytes) {
  if (answered) {
    unanswered_.store(0);
  } else if (unanswered_.fetch_add(1) > 0) {
    shrink(bytes);
  }
}

std::unique_ptr<Way> WebTarget::way(const Lane& lane) { return std::make_unique<WebWay>(lane, *this); }

std::unique_ptr<Target> make_target(const Options& options) {
  if (const auto* peer = std::get_if<net::Peer>(&options.target)) return std::make_unique<DimseTarget>(*peer, options);
  return std::make_unique<WebTarget>(std::get<web::Endpoint>(options.target), options);
}

}  // namespace waybill::load
