// SPDX-License-Identifier: Apache-2.0
#include "scan/entries.hpp"

#include <cstdint>
#include <cstring>
#include <optional>

namespace waybill::scan {
namespace {

class Packer {
 public:
  Packer& number(std::uint64_t n) {
    do {
      const auto low = static_cast<unsigned char>(n & 0x7FU);
      n >>= 7U;
      out_ += static_cast<char>(n == 0 ? low : low | 0x80U);
    } while (n != 0);
    return *this;
  }
  Packer& text(std::string_view t) {
    number(t.size());
    out_ += t;
    return *this;
  }
  Packer& maybe(const std::optional<std::string>& t) {
    number(t ? t->size() + 1 : 0);
    if (t) out_ += *t;
    return *this;
  }
  Packer& texts(const std::vector<std::string>& list) {
    number(list.size());
    for (const auto& t : list) text(t);
    return *this;
  }
  /// Hexadecimal digits as half as many bytes; other text as it is.
  Packer& hex(std::string_view digits) {
    std::string bytes;
    bool plain = digits.size() % 2 != 0;
    for (std::size_t i = 0; !plain && i < digits.size(); i += 2) {
      const int high = value(digits[i]);
      const int low = value(digits[i + 1]);
      plain = high < 0 || low < 0;
      bytes += static_cast<char>(high << 4 | low);
    }
    number(plain ? 1 : 0);
    return text(plain ? digits : std::string_view(bytes));
  }
  [[nodiscard]] std::string str() && { return std::move(out_); }

 private:
  static int value(char c) {
    if (c >= '0' && c <= '9') return c - '0';
    return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
  }
  std::string out_;
};

/// Reads what Packer wrote; the index checks its blocks, so the bytes are as written.
class Unpacker {
 public:
  explicit Unpacker(std::string_view bytes) : rest_(bytes) {}
  std::uint64_t number() {
    std::uint64_t n = 0;
    for (unsigned shift = 0; !rest_.empty() && shift < 64; shift += 7) {
      const auto byte = static_cast<unsigned char>(rest_.front());
      rest_.remove_prefix(1);
      n |= static_cast<std::uint64_t>(byte & 0x7FU) << shift;
      if ((byte & 0x80U) == 0) break;
    }
    return n;
  }
  std::string text() { return take(number()); }
  std::optional<std::string> maybe() {
    const std::uint64_t n = number();
    if (n == 0) return std::nullopt;
    return take(n - 1);
  }
  std::vector<std::string> texts() {
    std::vector<std::string> out;
    for (std::uint64_t n = number(); n > 0; --n) out.push_back(text());
    return out;
  }
  std::string hex() {
    const bool plain = number() == 1;
    std::string bytes = text();
    if (plain) return bytes;
    static constexpr char kDigits[] = "0123456789abcdef";
    std::string out;
    for (const char c : bytes) {
      const auto u = static_cast<unsigned char>(c);
      out += kDigits[u >> 4U];
      out += kDigits[u & 15U];
    }
    return out;
  }

 private:
  std::string take(std::uint64_t n) {
    std::string out(rest_.substr(0, n));
    rest_.remove_prefix(out.size());
    return out;
  }
  std::string_view rest_;
};

}  // namespace

std::string pack(const First& f) {
  Packer p;
  p.hex(f.id).text(f.study).text(f.series).hex(f.file).hex(f.codestream).hex(f.pixel).hex(f.dataset);
  return std::move(p).str();
}

First unpack_first(std::string_view bytes) {
  Unpacker u(bytes);
  First f;
  f.id = u.hex();
  f.study = u.text();
  f.series = u.text();
  f.file = u.hex();
  f.codestream = u.hex();
  f.pixel = u.hex();
  f.dataset = u.hex();
  return f;
}

std::string pack(const StudyEntry& e) {
  const manifest::Study& s = e.study;
  Packer p;
  p.maybe(s.patient_id).maybe(s.issuer).maybe(s.patient_name).maybe(s.birth_date).maybe(s.sex).maybe(s.accession);
  p.maybe(s.study_date)
      .maybe(s.study_time)
      .texts(s.modalities)
      .number(s.series)
      .number(s.instances)
      .number(s.bytes)
      .number(e.accessions);
  p.number((e.two_patients ? 1U : 0U) | (e.split ? 2U : 0U) | (e.fewer ? 4U : 0U)).hex(e.first);
  return std::move(p).str();
}

StudyEntry unpack_study(std::string_view uid, std::string_view bytes) {
  Unpacker u(bytes);
  StudyEntry e;
  manifest::Study& s = e.study;
  s.study = uid;
  for (auto* field :
       {&s.patient_id, &s.issuer, &s.patient_name, &s.birth_date, &s.sex, &s.accession, &s.study_date, &s.study_time})
    *field = u.maybe();
  s.modalities = u.texts();
  s.series = u.number();
  s.instances = u.number();
  s.bytes = u.number();
  e.accessions = u.number();
  const std::uint64_t flags = u.number();
  e.two_patients = (flags & 1U) != 0;
  e.split = (flags & 2U) != 0;
  e.fewer = (flags & 4U) != 0;
  e.first = u.hex();
  return e;
}

std::string pack(const Pointer& pointer) {
  Packer p;
  p.hex(pointer.id).text(pointer.rejection).texts(pointer.references);
  return std::move(p).str();
}

Pointer unpack_pointer(std::string_view bytes) {
  Unpacker u(bytes);
  Pointer p;
  p.id = u.hex();
  p.rejection = u.text();
  p.references = u.texts();
  return p;
}

std::string join(std::initializer_list<std::string_view> parts) {
  Packer p;
  for (const auto part : parts) p.text(part);
  return std::move(p).str();
}

}  // namespace waybill::scan
