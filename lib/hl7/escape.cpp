// SPDX-License-Identifier: Apache-2.0
#include "hl7/escape.hpp"

#include "core/bytes.hpp"
#include "core/text.hpp"
#include "hl7/charset.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <utility>

namespace waybill::hl7 {
namespace {

constexpr std::size_t kLongestSequence =
    std::size_t{64} * 1024;  // a longer "sequence" is text between two escape characters
constexpr int kMostBlanks = 100;

int count_of(std::string_view command) {
  command = trim(command.substr(std::min<std::size_t>(command.size(), 3)));
  if (command.starts_with('+')) command.remove_prefix(1);
  int n = 1;
  std::from_chars(command.data(), command.data() + command.size(), n);
  return std::clamp(n, 0, kMostBlanks);
}

/// ".br", ".sp 2", ".in+4": true when it is a formatting command.
bool put_format(std::string& out, std::string_view command) {
  if (command.starts_with(".br") || command.starts_with(".ce")) {
    out += '\n';
  } else if (command.starts_with(".sp")) {
    out.append(static_cast<std::size_t>(count_of(command)), '\n');
  } else if (command.starts_with(".sk")) {
    out.append(static_cast<std::size_t>(count_of(command)), ' ');
  } else {
    return command.starts_with(".fi") || command.starts_with(".nf") || command.starts_with(".in") ||
           command.starts_with(".ti");
  }
  return true;
}

/// One sequence without its escape characters; false when it is none we know. `bytes` collects those of \X..\.
bool put_sequence(std::string& out, std::string& bytes, std::string_view sequence, const Delimiters& d) {
  if (sequence.size() == 1) {
    switch (sequence[0]) {
      case 'F': out += d.field; return true;
      case 'S': out += d.component; return d.component != '\0';
      case 'T': out += d.subcomponent; return d.subcomponent != '\0';
      case 'R': out += d.repetition; return d.repetition != '\0';
      case 'E': out += d.escape; return true;
      case 'P': out += '#'; return true;
      case 'H':
      case 'N': return true;
      default: return false;
    }
  }
  if (sequence.empty()) return false;
  if (sequence[0] == '.') return put_format(out, sequence);
  const bool hex = sequence[0] == 'X' || sequence[0] == 'C' || sequence[0] == 'M';
  const Bytes value = hex ? from_hex(sequence.substr(1)) : Bytes();
  if (value.empty()) return false;
  if (sequence[0] == 'X') bytes += as_text(value);
  return true;
}

}  // namespace

std::string unescape(std::string_view text, const Delimiters& d, const std::string& charset) {
  std::string out, bytes;
  const auto flush = [&] {
    if (!bytes.empty()) out += to_utf8(bytes, charset);
    bytes.clear();
  };
  if (d.escape == '\0') return std::string(text);
  while (!text.empty()) {
    const std::size_t begin = text.find(d.escape);
    if (begin != 0) flush();
    out += text.substr(0, begin);
    if (begin == std::string_view::npos) return out;
    const std::size_t end = text.substr(0, begin + kLongestSequence).find(d.escape, begin + 1);
    if (end == std::string_view::npos) {
      flush();
      return out += text.substr(begin);
    }
    const std::string_view sequence = text.substr(begin + 1, end - begin - 1);
    if (!sequence.starts_with('X')) flush();
    const std::size_t before = out.size();
    if (put_sequence(out, bytes, sequence, d)) {
      text.remove_prefix(end + 1);
    } else {
      out.resize(before);
      flush();
      out += text.substr(begin, 1);  // literal; what follows may begin a sequence of its own
      text.remove_prefix(begin + 1);
    }
  }
  flush();
  return out;
}

std::string escape(std::string_view text, const Delimiters& d) {
  const std::array<std::pair<char, const char*>, 7> codes = {{{d.field, "F"},
                                                              {d.component, "S"},
                                                              {d.repetition, "R"},
                                                              {d.escape, "E"},
                                                              {d.subcomponent, "T"},
                                                              {'\r', "X0D"},
                                                              {'\n', "X0A"}}};
  std::string out;
  for (const char c : text) {
    const auto code = std::find_if(codes.begin(), codes.end(), [&](const auto& k) { return k.first == c; });
    if (c == '\0' || code == codes.end()) {
      out += c;
    } else {
      out += d.escape;
      out += code->second;
      out += d.escape;
    }
  }
  return out;
}

}  // namespace waybill::hl7
