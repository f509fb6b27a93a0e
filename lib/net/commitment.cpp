// SPDX-License-Identifier: Apache-2.0
#include "net/commitment.hpp"

#include "core/text.hpp"
#include "dicom/file.hpp"
#include "dicom/rewrite.hpp"
#include "net/state.hpp"

#include <array>

namespace waybill::net {

namespace {

using dicom::tag;
using dicom::vr;

constexpr std::uint64_t kMaxReport = 64U << 20U;

/// Calls `element(item number, tag, value)` for each element of the items of a sequence; nested ones as well.
template <typename Take>
void for_each_element(const dicom::Dataset& dataset, dicom::Tag sequence, const Take& take) {
  const dicom::Node* node = dataset.find(sequence);
  if (node == nullptr) return;
  const auto& nodes = dataset.nodes();
  std::size_t items = 0;
  for (std::uint32_t i = dataset.index_of(*node) + 1; i < node->next; ++i) {
    if (nodes[i].kind == dicom::NodeKind::item) ++items;
    if (nodes[i].kind == dicom::NodeKind::element && items > 0) take(items, nodes[i].tag, dataset.value(nodes[i]));
  }
}

bool take_reference(dicom::Tag tag_of, ByteView value, SopReference& into) {
  if (tag_of == tag(0x0008, 0x1150)) into.sop_class = trim(as_text(value));
  if (tag_of == tag(0x0008, 0x1155)) into.sop_instance = trim(as_text(value));
  return tag_of == tag(0x0008, 0x1150) || tag_of == tag(0x0008, 0x1155);
}

}  // namespace

Bytes encode_commitment(const std::string& transaction, const std::vector<SopReference>& objects, bool explicit_vr) {
  Bytes items;
  for (const SopReference& object : objects) {
    Bytes item = dicom::encode_element(tag(0x0008, 0x1150), vr("UI"), object.sop_class, explicit_vr);
    put_bytes(item, dicom::encode_element(tag(0x0008, 0x1155), vr("UI"), object.sop_instance, explicit_vr));
    put_u16(items, 0xFFFE);
    put_u16(items, 0xE000);
    put_u32(items, static_cast<std::uint32_t>(item.size()));
    put_bytes(items, item);
  }
  Bytes out = dicom::encode_element(tag(0x0008, 0x1195), vr("UI"), transaction, explicit_vr);
  put_bytes(out, dicom::encode_element(tag(0x0008, 0x1199), vr("SQ"), as_text(items), explicit_vr));
  return out;
}

Result<CommitmentReport> parse_commitment(ByteView dataset, std::string_view transfer_syntax) {
  const auto parsed = dicom::parse_network_dataset(dataset, transfer_syntax);
  if (!parsed) return parsed.error();
  CommitmentReport report;
  report.transaction = trim(parsed->dataset.raw_text(tag(0x0008, 0x1195)).value_or(""));
  if (report.transaction.empty())
    return Failure{Fault::malformed, "the peer's report of storage commitment has no Transaction UID"};
  for_each_element(parsed->dataset, tag(0x0008, 0x1199), [&](std::size_t items, dicom::Tag at, ByteView value) {
    report.committed.resize(items);
    take_reference(at, value, report.committed.back());
  });
  for_each_element(parsed->dataset, tag(0x0008, 0x1198), [&](std::size_t items, dicom::Tag at, ByteView value) {
    report.failed.resize(items);
    if (take_reference(at, value, report.failed.back().object)) return;
    if (at == tag(0x0008, 0x1197) && value.size() >= 2) report.failed.back().reason = load_u16(value.data());
  });
  return report;
}

std::string commitment_reason(std::uint16_t reason) {
  const std::array bytes{static_cast<std::byte>(reason >> 8U), static_cast<std::byte>(reason & 0xFFU)};
  std::string code = to_hex(bytes);
  switch (reason) {
    case 0x0110: return code + " processing failure";
    case 0x0112: return code + " no such object instance";
    case 0x0119: return code + " the object is there under another class";
    case 0x0122: return code + " SOP class not supported";
    case 0x0131: return code + " the Transaction UID is in use";
    case 0x0213: return code + " resource limitation";
    default: return code;
  }
}

/// Answers in every case: an archive that gets no answer may hold its report back for good.
void Association::State::take_report(const Command& request, ContextId context, const TakeReport& take) {
  if (!request.data_follows()) lose("the peer sent a report of storage commitment without a dataset");
  io::Scratch memory;
  const ByteView dataset = receive_dataset(context, kMaxReport, memory);
  Command answer = Command::make(static_cast<std::uint16_t>(Verb::event) | kResponse, false)
                       .set(field::kAffectedClass, kCommitmentClass)
                       .set(field::kRespondedTo, request.number(field::kMessageId))
                       .set(field::kAffectedInstance, kCommitmentInstance);
  answer.set(field::kEventType, request.number(field::kEventType));
  const auto report = parse_commitment(dataset, by_id.at(context).transfer_syntax);
  if (!report) return send(context, answer.set(field::kStatus, kUnknownTransaction).encode());
  std::uint16_t status = kNotTaken;
  try {
    status = take(*report);
  } catch (const std::exception&) {
    send(context, answer.set(field::kStatus, kNotTaken).encode());
    throw;
  }
  send(context, answer.set(field::kStatus, status).encode());
}

std::uint16_t Association::ask_for_commitment(const std::string& transaction, const std::vector<SopReference>& objects,
                                              const TakeReport& take) {
  State& state = *state_;
  const ContextId context = state.context_of(kCommitmentClass, "storage commitment");
  const bool explicit_vr = state.by_id.at(context).transfer_syntax == kExplicitLittle;
  const std::uint16_t id = state.message_id();
  const Command request = Command::make(static_cast<std::uint16_t>(Verb::action), true)
                              .set(field::kRequestedClass, kCommitmentClass)
                              .set(field::kMessageId, id)
                              .set(field::kRequestedInstance, kCommitmentInstance)
                              .set(field::kActionType, std::uint16_t{1});
  state.send(context, request.encode(), encode_commitment(transaction, objects, explicit_vr));
  for (;;) {
    ContextId arrived = 0;
    const Command command = state.receive_command(arrived);
    const std::uint16_t type = command.number(field::kCommand);
    if (type == static_cast<std::uint16_t>(Verb::event)) {
      state.take_report(command, arrived, take);
      continue;
    }
    if (command.data_follows()) state.skip_dataset(arrived, kMaxReport);
    if (type != (static_cast<std::uint16_t>(Verb::action) | kResponse) || !command.has(field::kStatus) ||
        command.number(field::kRespondedTo) != id)
      state.lose("the peer answered N-ACTION with another message");
    return command.number(field::kStatus);
  }
}

void Association::take_reports(const TakeReport& take, std::chrono::milliseconds time) {
  State& state = *state_;
  const Deadline until = Clock::now() + time;
  if (!state.alive) state.lose("it was aborted before");
  while (state.await(until)) {
    ContextId arrived = 0;
    const Command command = state.receive_command(arrived);
    if (command.number(field::kCommand) != static_cast<std::uint16_t>(Verb::event))
      state.lose("the peer sent another message than a report of storage commitment");
    state.take_report(command, arrived, take);
  }
}

std::vector<Context> Association::commitment_contexts() {
  return {{std::string(kCommitmentClass), std::string(kImplicitLittle)},
          {std::string(kCommitmentClass), std::string(kExplicitLittle)}};
}

}  // namespace waybill::net
