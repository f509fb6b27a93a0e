// SPDX-License-Identifier: Apache-2.0
#include "core/text.hpp"
#include "dicom/dataset.hpp"
#include "net/state.hpp"

#include <array>
#include <charconv>
#include <utility>

namespace waybill::net {

namespace {

constexpr dicom::Tag kLevel = dicom::tag(0x0008, 0x0052);
constexpr dicom::Tag kSopInstance = dicom::tag(0x0008, 0x0018);
constexpr dicom::Tag kStudy = dicom::tag(0x0020, 0x000D);
constexpr dicom::Tag kSeries = dicom::tag(0x0020, 0x000E);
constexpr dicom::Tag kStudyInstances = dicom::tag(0x0020, 0x1208);
constexpr std::uint16_t kLimitReached = 0xB001, kKeysUnsupported = 0xFF01;
constexpr std::size_t kMaxAnswers = 4'000'000;
constexpr std::uint64_t kMaxIdentifier = 1U << 20U;

/// An identifier of short text keys in either little endian encoding; keys are given in tag order.
Bytes encode_keys(const std::vector<Key>& keys, bool explicit_vr) {
  Bytes out;
  for (const Key& key : keys) {
    const std::string_view vr = key.vr;
    std::string value = key.value;
    if (value.size() % 2 != 0) value.push_back(vr == "UI" ? '\0' : ' ');
    put_u16(out, static_cast<std::uint16_t>(key.tag >> 16U));
    put_u16(out, static_cast<std::uint16_t>(key.tag & 0xFFFFU));
    if (explicit_vr) {
      put_bytes(out, as_bytes(vr));
      put_u16(out, static_cast<std::uint16_t>(value.size()));
    } else {
      put_u32(out, static_cast<std::uint32_t>(value.size()));
    }
    put_bytes(out, as_bytes(value));
  }
  return out;
}

bool is_pending(std::uint16_t status) { return status == 0xFF00 || status == kKeysUnsupported; }

std::string hex(std::uint16_t status) {
  const std::array bytes{static_cast<std::byte>(status >> 8U), static_cast<std::byte>(status & 0xFFU)};
  return to_hex(bytes);
}

Command request_of(Verb verb, std::string_view sop_class, std::uint16_t id) {
  return Command::make(static_cast<std::uint16_t>(verb), true)
      .set(field::kAffectedClass, sop_class)
      .set(field::kMessageId, id)
      .set(field::kPriority, std::uint16_t{0});
}

}  // namespace

Found Association::State::query(const std::vector<Key>& keys, const std::function<bool(const dicom::Dataset&)>& take) {
  const ContextId context = context_of(kStudyRootFind, "C-FIND (Study Root)");
  const bool explicit_vr = by_id.at(context).transfer_syntax == kExplicitLittle;
  const std::uint16_t id = message_id();
  send(context, request_of(Verb::find, kStudyRootFind, id).encode(), encode_keys(keys, explicit_vr));

  Found found;
  std::optional<Deadline> cancelled;
  for (;; ++found.answers) {
    const Command response = receive_response(Verb::find, id, context);
    const std::uint16_t status = response.number(field::kStatus);
    io::Scratch memory;
    const ByteView identifier = response.data_follows() ? receive_dataset(context, kMaxIdentifier, memory) : ByteView();
    if (!is_pending(status)) {
      found.status = status;
      return found;
    }
    if (cancelled) {
      if (Clock::now() > *cancelled) lose("C-FIND went on though it was cancelled");
      continue;
    }
    if (found.answers >= kMaxAnswers) lose("C-FIND gave more than 4,000,000 answers");
    found.keys_unsupported |= status == kKeysUnsupported;
    std::vector<manifest::Finding> findings;
    const auto parsed = dicom::parse_dataset(identifier, {explicit_vr, false}, findings);
    if (!parsed) lose("a C-FIND answer cannot be read (" + parsed.error().what + ")");
    if (take(*parsed)) continue;
    const Command cancel = Command::make(static_cast<std::uint16_t>(Verb::cancel), false).set(field::kRespondedTo, id);
    send(context, cancel.encode());
    cancelled = Clock::now() + timeouts.dimse;
  }
}

std::set<std::string> Association::State::find(const std::vector<Key>& keys, std::uint32_t wanted) {
  std::set<std::string> values;
  const Found found = query(keys, [&](const dicom::Dataset& answer) {
    const auto value = answer.raw_text(wanted);
    if (value && !value->empty()) values.insert(std::string(trim(*value)));
    return true;
  });
  if (found.status == 0 || found.status == kLimitReached) return values;
  throw PeerError(PeerError::Kind::refused, peer.url() + " answered C-FIND with status " + hex(found.status) +
                                                "; ask its operator, then run the same command again");
}

Found Association::find(const std::vector<Key>& keys, const TakeAnswer& take) {
  return state_->query(keys, [&](const dicom::Dataset& answer) {
    std::map<std::uint32_t, std::string> values;
    for (const Key& key : keys) {
      if (const auto value = answer.raw_text(key.tag)) values.emplace(key.tag, trim(*value));
    }
    return take(values);
  });
}

std::set<std::string> Association::find_series(const std::string& study) {
  return state_->find({{kLevel, "CS", "SERIES"}, {kStudy, "UI", study}, {kSeries, "UI", ""}}, kSeries);
}

std::set<std::string> Association::find_instances(const std::string& study, const std::string& series,
                                                  const std::string& instance) {
  return state_->find(
      {{kSopInstance, "UI", instance}, {kLevel, "CS", "IMAGE"}, {kStudy, "UI", study}, {kSeries, "UI", series}},
      kSopInstance);
}

std::optional<std::uint64_t> Association::count_instances(const std::string& study) {
  const auto counts =
      state_->find({{kLevel, "CS", "STUDY"}, {kStudy, "UI", study}, {kStudyInstances, "IS", ""}}, kStudyInstances);
  if (counts.size() != 1) return std::nullopt;
  const std::string& text = *counts.begin();
  std::uint64_t count = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), count);
  return error == std::errc() && end == text.data() + text.size() ? std::optional(count) : std::nullopt;
}

std::set<std::string> Association::find_study(const std::string& study) {
  std::set<std::string> all;
  for (const std::string& series : find_series(study)) all.merge(find_instances(study, series));
  return all;
}

/// Takes one C-STORE sub-operation: dataset in, the answer is answer_store's.
Received Association::State::receive_store(const Command& request, ContextId context, std::uint64_t cap) {
  if (!request.data_follows()) lose("the peer sent a C-STORE without a dataset");
  Received object;
  object.sop_class = request.text(field::kAffectedClass);
  object.sop_instance = request.text(field::kAffectedInstance);
  object.transfer_syntax = by_id.at(context).transfer_syntax;
  object.dataset = receive_dataset(context, cap, object.memory);
  return object;
}

void Association::State::answer_store(const Command& request, ContextId context, std::uint16_t status) {
  const Command response = Command::make(static_cast<std::uint16_t>(Verb::store) | kResponse, false)
                               .set(field::kAffectedClass, request.text(field::kAffectedClass))
                               .set(field::kRespondedTo, request.number(field::kMessageId))
                               .set(field::kStatus, status)
                               .set(field::kAffectedInstance, request.text(field::kAffectedInstance));
  send(context, response.encode());
}

GetResult Association::get(const std::string& study, const std::function<void(Received)>& receive, std::uint64_t cap) {
  return get_below({study, {}, {}}, receive, cap);
}

GetResult Association::get_instance(const std::string& study, const std::string& series, const std::string& instance,
                                    const std::function<void(Received)>& receive, std::uint64_t cap) {
  return get_below({study, series, instance}, receive, cap);
}

namespace {

/// The identifier of a retrieve: a study, or one object when all three UIDs are there.
std::vector<Key> retrieve_keys(const std::array<std::string, 3>& uids) {
  const auto& [study, series, instance] = uids;
  if (instance.empty()) return {{kLevel, "CS", "STUDY"}, {kStudy, "UI", study}};
  return {{kSopInstance, "UI", instance}, {kLevel, "CS", "IMAGE"}, {kStudy, "UI", study}, {kSeries, "UI", series}};
}

}  // namespace

GetResult Association::get_below(const std::array<std::string, 3>& uids, const std::function<void(Received)>& receive,
                                 std::uint64_t cap) {
  const std::vector<Key> keys = retrieve_keys(uids);
  State& state = *state_;
  const ContextId context = state.context_of(kStudyRootGet, "C-GET (Study Root)");
  const bool explicit_vr = state.by_id.at(context).transfer_syntax == kExplicitLittle;
  const std::uint16_t id = state.message_id();
  state.send(context, request_of(Verb::get, kStudyRootGet, id).encode(), encode_keys(keys, explicit_vr));
  for (;;) {
    ContextId arrived = 0;
    const Command command = state.receive_command(arrived);
    const std::uint16_t type = command.number(field::kCommand);
    if (type == static_cast<std::uint16_t>(Verb::store)) {
      Received object = state.receive_store(command, arrived, cap);
      state.answer_store(command, arrived, 0);
      receive(std::move(object));
      continue;
    }
    if (type != (static_cast<std::uint16_t>(Verb::get) | kResponse) || command.number(field::kRespondedTo) != id) {
      state.lose("the peer answered C-GET with another message");
    }
    if (command.data_follows()) state.skip_dataset(arrived, kMaxIdentifier);
    const std::uint16_t status = command.number(field::kStatus);
    if (is_pending(status)) continue;
    return {status, command.number(field::kCompleted), command.number(field::kFailed), command.number(field::kWarning),
            repair_utf8(command.text(field::kErrorComment))};
  }
}

Association::Moved Association::move(const std::array<std::string, 3>& uids, const std::string& destination,
                                     const std::function<bool()>& go_on) {
  constexpr std::chrono::milliseconds kTick{100};
  State& state = *state_;
  const ContextId context = state.context_of(kStudyRootMove, "C-MOVE (Study Root)");
  const bool explicit_vr = state.by_id.at(context).transfer_syntax == kExplicitLittle;
  const std::uint16_t id = state.message_id();
  std::string padded = destination;
  if (padded.size() % 2 != 0) padded += ' ';
  const Command request = request_of(Verb::move, kStudyRootMove, id).set(field::kMoveDestination, padded);
  state.send(context, request.encode(), encode_keys(retrieve_keys(uids), explicit_vr));
  for (;;) {
    if (!state.await(Clock::now() + kTick)) {
      if (go_on()) continue;
      try {
        state.lose("it was no longer waited for");
      } catch (const PeerError&) {
        return {};
      }
    }
    const Command response = state.receive_response(Verb::move, id, context);
    if (response.data_follows()) state.skip_dataset(context, kMaxIdentifier);
    const std::uint16_t status = response.number(field::kStatus);
    if (is_pending(status)) continue;
    return {status, response.number(field::kCompleted), response.number(field::kFailed),
            repair_utf8(response.text(field::kErrorComment))};
  }
}

std::vector<Context> Association::find_contexts() {
  return {{std::string(kStudyRootFind), std::string(kImplicitLittle)},
          {std::string(kStudyRootFind), std::string(kExplicitLittle)}};
}

std::vector<Context> Association::get_contexts() {
  return {{std::string(kStudyRootGet), std::string(kImplicitLittle)},
          {std::string(kStudyRootGet), std::string(kExplicitLittle)}};
}

std::vector<Context> Association::move_contexts() {
  return {{std::string(kStudyRootMove), std::string(kImplicitLittle)},
          {std::string(kStudyRootMove), std::string(kExplicitLittle)}};
}

}  // namespace waybill::net
