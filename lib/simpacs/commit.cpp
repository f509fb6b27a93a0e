// SPDX-License-Identifier: Apache-2.0
#include "core/text.hpp"
#include "dicom/file.hpp"
#include "simpacs/session.hpp"

namespace waybill::simpacs {

namespace field = net::field;

namespace {

using dicom::tag;

constexpr std::uint16_t kActionType = 0x1008;
constexpr std::uint16_t kRequestedInstance = 0x1001;
constexpr std::uint16_t kNoSuchInstance = 0x0112;
constexpr std::uint16_t kInvalidArgument = 0x0115;
constexpr std::uint64_t kMostIdentifier = 64U << 20U;

/// Transaction UID and referenced objects of a request (PS3.4 J.3.2.1.1).
bool read_request(ByteView dataset, const std::string& syntax, Transaction& transaction) {
  const auto parsed = dicom::parse_network_dataset(dataset, syntax);
  if (!parsed) return false;
  transaction.uid = std::string(trim(parsed->dataset.raw_text(tag(0x0008, 0x1195)).value_or("")));
  const dicom::Node* sequence = parsed->dataset.find(tag(0x0008, 0x1199));
  if (sequence == nullptr || transaction.uid.empty()) return false;
  const auto& nodes = parsed->dataset.nodes();
  for (std::uint32_t i = parsed->dataset.index_of(*sequence) + 1; i < sequence->next; ++i) {
    const dicom::Node& node = nodes[i];
    if (node.kind == dicom::NodeKind::item) transaction.references.emplace_back();
    if (node.kind != dicom::NodeKind::element || transaction.references.empty()) continue;
    const std::string value(trim(as_text(parsed->dataset.value(node))));
    if (node.tag == tag(0x0008, 0x1150)) transaction.references.back().sop_class = value;
    if (node.tag == tag(0x0008, 0x1155)) transaction.references.back().sop_instance = value;
  }
  return true;
}

}  // namespace

void Session::commit(const Command& request, std::uint8_t context) {
  Bytes dataset;
  if (request.data_follows()) (void)messages_.dataset(context, &dataset, kMostIdentifier);
  Transaction transaction;
  const bool readable = read_request(dataset, granted_.at(context).syntax, transaction);
  const Rule* rule = rule_for(On::commit, "", kCommitmentClass);
  std::uint16_t status = rule == nullptr ? std::uint16_t{0} : rule->status.value_or(0);
  if (request.text(kRequestedInstance) != kCommitmentInstance) status = kNoSuchInstance;
  if (!readable || request.number(kActionType) != 1) status = kInvalidArgument;
  transaction.calling = request_.calling;
  transaction.association = number_;
  transaction.rule = rule;
  transaction.due = std::chrono::system_clock::now();
  if (rule != nullptr) {
    transaction.due += rule->delay;
    transaction.times = rule->times;
    transaction.new_association = rule->new_association;
  }
  if (node_.journal) {
    node_.journal.write(Journal::line("commit", number_)
                            .member("transaction", transaction.uid)
                            .member("references", transaction.references.size())
                            .member("status", status_text(status)));
  }
  Command answer = response_to(request, status);
  answer.set(field::kAffectedClass, kCommitmentClass).set(field::kAffectedInstance, kCommitmentInstance);
  answer.set(kActionType, std::uint16_t{1});
  const bool early = rule != nullptr && rule->early;
  if (status == 0) node_.committer->add(transaction);
  if (status == 0 && early) (void)send_event(context);
  Rule prompt;  // the delay is the event's, not the answer's
  if (rule != nullptr) prompt = *rule;
  prompt.delay = {};
  respond(rule == nullptr ? nullptr : &prompt, context, std::move(answer));
}

/// An event that is due, on this association; false when there is none.
bool Session::send_event(std::uint8_t context) {
  const auto transaction = node_.committer->take_for(number_, request_.calling);
  if (!transaction) return false;
  Bytes dataset;
  Command event = node_.committer->event(*transaction, is_explicit(context), dataset);
  event.set(field::kMessageId, next_message_++);
  if (node_.journal)
    node_.journal.write(Journal::line("commit-event", number_).member("transaction", transaction->uid));
  messages_.send(context, event, dataset);
  return true;
}

}  // namespace waybill::simpacs
