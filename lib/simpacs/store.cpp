// SPDX-License-Identifier: Apache-2.0
#include "simpacs/session.hpp"

namespace waybill::simpacs {

namespace field = net::field;

namespace {

constexpr std::uint64_t kMostDataset = std::uint64_t{1} << 40U;
constexpr std::uint16_t kDuplicate = 0x0111;

/// A status that says the object was stored (PS3.4 B.2.3).
bool says_stored(std::uint16_t status) { return status == 0 || status >> 12U == 0xB; }

}  // namespace

/// Puts the object on the shelf as the scenario wants it; gives what the journal says of it.
std::string Session::keep(const Arrival& arrival, Keep how, std::uint16_t& status) {
  if (how == Keep::nothing) return "dropped";
  const Duplicates duplicates = node_.scenario.duplicates;
  Bytes spoiled;
  Arrival kept = arrival;
  if (how != Keep::all) {
    Bytes before;
    if (how == Keep::other) {
      for (const InstancePtr& other : node_.shelf->select("", "")) {
        if (other->sop_instance != arrival.sop_instance) before = Shelf::dataset_of(*other);
      }
    }
    spoiled = spoil(arrival.dataset, arrival.syntax, how, before);
    kept.dataset = spoiled;
  }
  switch (node_.shelf->put(kept, duplicates)) {
    case Shelf::Put::added: return "added";
    case Shelf::Put::replaced: return "replaced";
    case Shelf::Put::there: break;
  }
  if (duplicates == Duplicates::refuse) status = kDuplicate;
  return "there";
}

void Session::store(const Command& request, std::uint8_t context) {
  const std::string uid = request.text(field::kAffectedInstance);
  const std::string sop_class = request.text(field::kAffectedClass);
  if (!request.data_follows()) throw Lost{"a C-STORE without a dataset"};
  const Rule* rule = rule_for(On::store, uid, sop_class);
  if (rule != nullptr && rule->pace > 0) wire_.set_pace(rule->pace);
  if (rule != nullptr && rule->abort_after) {
    messages_.part_of_dataset(*rule->abort_after);
    log("store-aborted", rule, uid);
    end(rule->answer == Answer::normal ? Answer::abort : rule->answer, *rule);
    throw Ended{};
  }
  Bytes dataset;
  const std::uint64_t size = messages_.dataset(context, node_.shelf ? &dataset : nullptr, kMostDataset);
  wire_.set_pace(0);

  std::uint16_t status = rule == nullptr ? std::uint16_t{0} : rule->status.value_or(0);
  std::string kept = "discarded";
  if (node_.shelf) {
    const Keep usual = says_stored(status) ? Keep::all : Keep::nothing;
    const Keep how = rule == nullptr ? usual : rule->keep.value_or(usual);
    kept = keep({sop_class, uid, granted_.at(context).syntax, dataset}, how, status);
  }
  node_.tallies.add(uid, size);
  if (node_.journal) {
    JsonWriter line = Journal::line("store", number_);
    line.member("message", request.number(field::kMessageId)).member("class", sop_class).member("instance", uid);
    line.member("syntax", granted_.at(context).syntax).member("bytes", size).member("kept", kept);
    const bool answered = rule == nullptr || rule->answer == Answer::normal || rule->answer == Answer::twice;
    if (answered) line.member("status", status_text(status));
    if (rule != nullptr) line.member("rule", rule->name);
    node_.journal.write(std::move(line));
  }
  respond(rule, context, response_to(request, status));
}

}  // namespace waybill::simpacs
