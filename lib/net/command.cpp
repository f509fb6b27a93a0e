// SPDX-License-Identifier: Apache-2.0
#include "net/command.hpp"

#include "core/text.hpp"

#include <algorithm>

namespace waybill::net {

namespace {

constexpr std::size_t kMaxCommand = std::size_t{64} * 1024;
constexpr std::size_t kGroupLength = 12;  // bytes of the element (0000,0000)

void put_element(Bytes& out, std::uint16_t element, ByteView value) {
  put_u16(out, 0x0000);
  put_u16(out, element);
  put_u32(out, static_cast<std::uint32_t>(value.size()));
  put_bytes(out, value);
}

}  // namespace

Command Command::make(std::uint16_t type, bool data_follows) {
  Command command;
  command.set(field::kCommand, type).set(field::kDataSetType, data_follows ? kDataSetFollows : kNoDataSet);
  return command;
}

Result<Command> Command::parse(ByteView bytes) {
  if (bytes.size() > kMaxCommand) return Failure{Fault::limit, "the peer sent a command set of more than 64 KiB"};
  Command command;
  if (bytes.size() >= kGroupLength && load_u32(bytes.data()) == 0 && load_u32(bytes.data() + 4) == 4)
    bytes = bytes.first(std::min<std::size_t>(bytes.size(), kGroupLength + load_u32(bytes.data() + 8)));
  while (!bytes.empty()) {
    if (bytes.size() < 8) return Failure{Fault::malformed, "the peer sent a command set that ends inside an element"};
    const std::uint16_t group = load_u16(bytes.data());
    const std::uint16_t element = load_u16(bytes.data() + 2);
    const std::uint32_t length = load_u32(bytes.data() + 4);
    bytes = bytes.subspan(8);
    if (group != 0 || length > bytes.size()) {
      return Failure{Fault::malformed, "the peer sent a command set that is not one"};
    }
    const ByteView value = bytes.first(length);
    if (element != 0) command.elements_[element] = Bytes(value.begin(), value.end());
    bytes = bytes.subspan(length);
  }
  return command;
}

Bytes Command::encode() const {
  Bytes body;
  for (const auto& [element, value] : elements_) put_element(body, element, value);
  Bytes length;
  put_u32(length, static_cast<std::uint32_t>(body.size()));
  Bytes out;
  put_element(out, 0x0000, length);
  put_bytes(out, body);
  return out;
}

Command& Command::set(std::uint16_t element, std::uint16_t number) {
  Bytes value;
  put_u16(value, number);
  elements_[element] = std::move(value);
  return *this;
}

Command& Command::set(std::uint16_t element, std::string_view uid) {
  Bytes value;
  put_bytes(value, as_bytes(uid));
  if (value.size() % 2 != 0) value.push_back(std::byte{0});
  elements_[element] = std::move(value);
  return *this;
}

std::uint16_t Command::number(std::uint16_t element, std::uint16_t otherwise) const {
  const auto found = elements_.find(element);
  return found == elements_.end() || found->second.size() < 2 ? otherwise : load_u16(found->second.data());
}

std::vector<std::uint32_t> Command::tags(std::uint16_t element) const {
  std::vector<std::uint32_t> all;
  const auto found = elements_.find(element);
  if (found == elements_.end()) return all;
  const Bytes& value = found->second;
  for (std::size_t i = 0; i + 4 <= value.size(); i += 4) {
    all.push_back(std::uint32_t{load_u16(value.data() + i)} << 16U | load_u16(value.data() + i + 2));
  }
  return all;
}

std::string Command::text(std::uint16_t element) const {
  const auto found = elements_.find(element);
  return found == elements_.end() ? std::string() : std::string(trim(as_text(found->second)));
}

}  // namespace waybill::net
