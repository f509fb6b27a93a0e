// SPDX-License-Identifier: Apache-2.0
// A header that breaks the rules can be read in several ways; which one is meant is told by where the value would end.
// A reading is taken only when it leads to a place where an element can begin and the reading by the standard does
// not, so sound datasets are never touched and a wrong guess needs two accidents.
#include "dicom/header.hpp"

#include "dicom/dictionary.hpp"

#include <algorithm>
#include <array>

namespace waybill::dicom {
namespace {

constexpr std::uint32_t kFourSpaces = 0x20202020U;

bool is_capital(std::byte b) { return b >= std::byte{'A'} && b <= std::byte{'Z'}; }
bool is_private(Tag t) { return ((t >> 16U) & 1U) != 0; }
Vr known_or_un(Tag t) {
  const Vr known = dictionary_vr(t);
  return known != 0 ? known : vr("UN");
}

}  // namespace

Tag Headers::tag_at(std::uint64_t at, bool big_endian) const {
  const std::byte* p = bytes_.data() + at;
  return tag(load_u16(p, big_endian), load_u16(p + 2, big_endian));
}

Vr Headers::vr_at(std::uint64_t at) const {
  return vr(static_cast<char>(bytes_[at + 4]), static_cast<char>(bytes_[at + 5]));
}

std::optional<Header> Headers::in_form(Form form, std::uint64_t at, std::uint64_t end, bool big_endian) const {
  const std::byte* p = bytes_.data() + at;
  if (end - at < (form == Form::long_length ? 12U : 8U)) return std::nullopt;
  Header h;
  h.tag = tag_at(at, big_endian);
  h.start = at;
  h.value = at + (form == Form::long_length ? 12 : 8);
  switch (form) {
    case Form::implicit: h.length = load_u32(p + 4, big_endian); break;
    case Form::short_length: h.length = load_u16(p + 6, big_endian); break;
    case Form::long_length: h.length = load_u32(p + 8, big_endian); break;
  }
  h.vr = form == Form::implicit ? known_or_un(h.tag) : vr_at(at);
  return h;
}

bool Headers::fits(const Header& h, std::uint64_t end, bool big_endian) const {
  if (h.length != kUndefined) return h.length <= end - h.value;
  if (end - h.value < 8) return false;
  const Tag inside = tag_at(h.value, big_endian);
  return inside == kItem || inside == kSequenceEnd;
}

bool Headers::is_sound(const std::optional<Header>& h, std::uint64_t end, Encoding encoding) const {
  return h && fits(*h, end, encoding.big_endian) &&
         (h->length == kUndefined || lands(h->value + h->length, end, encoding, h->tag));
}

std::optional<Header> Headers::read(std::uint64_t at, std::uint64_t end, Encoding encoding) const {
  if (end - at < 8) return std::nullopt;
  const bool big = encoding.big_endian;
  const Tag t = tag_at(at, big);
  if (!encoding.explicit_vr || (t >> 16U) == 0xFFFE) {
    auto h = in_form(Form::implicit, at, end, big);
    if (h->length == kFourSpaces && h->length > end - h->value && lands(h->value, end, encoding, t)) {
      h->length = 0;
      h->oddity = Oddity::blank_length;
    }
    return h;
  }
  return is_known_vr(vr_at(at)) ? with_known_vr(at, end, big) : without_vr(at, end, big);
}

std::optional<Header> Headers::with_known_vr(std::uint64_t at, std::uint64_t end, bool big_endian) const {
  const bool is_long = has_long_length(vr_at(at));
  const std::uint16_t behind_vr = load_u16(bytes_.data() + at + 6, big_endian);
  auto h = in_form(is_long ? Form::long_length : Form::short_length, at, end, big_endian);
  const bool plain = h && (h->length == kUndefined || h->length <= end - h->value);
  // The length field of a short form is where the reserved bytes of a long one are, which are zero.
  if (plain && (is_long ? behind_vr == 0 : behind_vr != 0)) return h;
  const Encoding encoding{true, big_endian};
  if (is_sound(h, end, encoding)) return h;
  auto other = in_form(is_long ? Form::short_length : Form::long_length, at, end, big_endian);
  const bool undefined_text = !is_long && other && other->length == kUndefined;
  if ((is_long ? behind_vr != 0 : behind_vr == 0) && !undefined_text && is_sound(other, end, encoding)) {
    other->oddity = Oddity::other_form;
    return other;
  }
  if (h && h->length == kFourSpaces && !plain && lands(h->value, end, encoding, h->tag)) {
    h->length = 0;
    h->oddity = Oddity::blank_length;
  }
  return h;
}

std::optional<Header> Headers::without_vr(std::uint64_t at, std::uint64_t end, bool big_endian) const {
  struct Reading {
    Form form;
    Oddity oddity;
  };
  constexpr Reading kFuture{Form::long_length, Oddity::future_vr};
  constexpr Reading kImplicit{Form::implicit, Oddity::no_vr_implicit};
  constexpr Reading kShort{Form::short_length, Oddity::no_vr_short};
  constexpr Reading kLong{Form::long_length, Oddity::no_vr_long};
  constexpr Reading kBlank{Form::short_length, Oddity::blank_vr};
  const bool capitals = is_capital(bytes_[at + 4]) && is_capital(bytes_[at + 5]);
  const bool blank = vr_at(at) == vr("  ");
  const std::array order = capitals ? std::array{kFuture, kShort, kImplicit}
                           : blank  ? std::array{kBlank, kLong, kImplicit}
                                    : std::array{kImplicit, kShort, kLong};
  for (const Reading reading : order) {
    auto h = in_form(reading.form, at, end, big_endian);
    if (!is_sound(h, end, {true, big_endian})) continue;
    if (reading.oddity != Oddity::future_vr) h->vr = known_or_un(h->tag);
    h->oddity = reading.oddity;
    return h;
  }
  auto h = in_form(order.front().form, at, end, big_endian);
  if (!h) return h;
  if (!capitals) h->vr = known_or_un(h->tag);
  h->oddity = order.front().oddity;
  return h;
}

bool Headers::is_padding(std::uint64_t at, std::uint64_t end) const {
  const std::byte fill = bytes_[at];
  if (fill != std::byte{0} && fill != std::byte{' '}) return false;
  return std::all_of(bytes_.begin() + static_cast<std::ptrdiff_t>(at),
                     bytes_.begin() + static_cast<std::ptrdiff_t>(end), [fill](std::byte b) { return b == fill; });
}

bool Headers::lands(std::uint64_t at, std::uint64_t end, Encoding encoding, Tag previous) const {
  if (at == end) return true;
  if (end - at < 8) return is_padding(at, end);
  const Tag t = tag_at(at, encoding.big_endian);
  if (t == kItemEnd || t == kSequenceEnd) return true;
  if (t <= previous || (t >> 16U) == 0xFFFE) return is_padding(at, end);
  if (encoding.explicit_vr) {
    if (is_known_vr(vr_at(at))) return true;
    return is_private(t) ? names_creator(at, end, encoding.big_endian) : (t & 0xFFFFU) != 0 && dictionary_vr(t) != 0;
  }
  return dictionary_vr(t) != 0 ||
         (is_private(t) && load_u32(bytes_.data() + at + 4, encoding.big_endian) <= end - at - 8);
}

bool Headers::names_creator(std::uint64_t at, std::uint64_t end, bool big_endian) const {
  const std::uint32_t element = tag_at(at, big_endian) & 0xFFFFU;
  const auto h = in_form(Form::short_length, at, end, big_endian);
  if (element < 0x10 || element > 0xFF || !h || h->length < 2 || h->length > 64 || !fits(*h, end, big_endian))
    return false;
  return std::ranges::all_of(bytes_.subspan(h->value, h->length),
                             [](std::byte b) { return b >= std::byte{0x20} && b < std::byte{0x7F}; });
}

bool Headers::continues(std::uint64_t at, std::uint64_t end, Encoding encoding, Tag previous) const {
  if (end - at < 8) return previous < kPixelData;  // a cut header, unless the pixel data stood last
  const Tag t = tag_at(at, encoding.big_endian);
  const std::uint32_t group = t >> 16U;
  if (group == 0 && (previous >> 16U) != 0) return false;
  if (group == 0xFFFE) return t == kItemEnd || t == kSequenceEnd;
  const bool ascends = t > previous;
  if (encoding.explicit_vr) {
    // Vendors keep much in groups behind the pixels; a known VR is proof enough in any of them.
    if (ascends && is_known_vr(vr_at(at))) return true;
    const bool letters = (is_capital(bytes_[at + 4]) && is_capital(bytes_[at + 5])) || vr_at(at) == vr("  ");
    if (ascends && letters && group <= 0x7FE0) return true;
  }
  const auto h = read(at, end, encoding);
  const bool whole = h && fits(*h, end, encoding.big_endian);
  const bool known = dictionary_vr(t) != 0;
  if (encoding.explicit_vr) {
    if (is_known_vr(vr_at(at))) return whole && (known || is_private(t));
    return whole && (known || is_sound(h, end, encoding));
  }
  if (ascends && group <= 0x7FE0) return whole || known || (is_private(t) && previous < kPixelData);
  return whole && (known || (is_private(t) && is_sound(h, end, encoding)));
}

bool Headers::begins_item(std::uint64_t at, std::uint64_t end, Encoding encoding) const {
  const std::uint32_t length = load_u32(bytes_.data() + at + 4, encoding.big_endian);
  if (tag_at(at, encoding.big_endian) != kItem) return false;
  const std::uint64_t inside = at + 8;
  const std::uint64_t stop = length == kUndefined || length > end - inside ? end : inside + length;
  if (stop - inside < 8) return stop == inside;
  const Tag t = tag_at(inside, encoding.big_endian);
  if (t == kItemEnd || t == kSequenceEnd) return true;
  const bool lettered = is_capital(bytes_[inside + 4]) && is_capital(bytes_[inside + 5]);
  if (encoding.explicit_vr && !lettered) return false;
  return is_sound(in_form(!encoding.explicit_vr            ? Form::implicit
                          : has_long_length(vr_at(inside)) ? Form::long_length
                          : is_known_vr(vr_at(inside))     ? Form::short_length
                                                           : Form::long_length,
                          inside, stop, encoding.big_endian),
                  stop, encoding);
}

bool Headers::holds_items(const Header& h) const {
  if (h.length < 8 || h.length > bytes_.size() - h.value) return false;
  const Tag little = tag_at(h.value, false);
  const Tag big = tag_at(h.value, true);
  const auto is_mark = [](Tag t) { return t == kItem || t == kItemEnd || t == kSequenceEnd; };
  return is_mark(little) || is_mark(big);
}

bool Headers::begins_or_ends_item(std::uint64_t at, std::uint64_t end, Encoding encoding) const {
  if (end - at < 8) return at == end;
  const Tag t = tag_at(at, encoding.big_endian);
  return t == kItem || t == kSequenceEnd;
}

Encoding Headers::of_items(std::uint64_t at, std::uint64_t end, Encoding due) const {
  if (end - at < 8) return due;
  const Tag first = tag_at(at, due.big_endian);
  if (first == kSequenceEnd || first == kItemEnd) return due;
  // Letters of a VR where an explicit element has them are no accident; a length of implicit ones may lead anywhere.
  const Encoding lettered{true, due.big_endian};
  if (!due.explicit_vr && begins_item(at, end, lettered)) return lettered;
  for (const Encoding one : {due, Encoding{!due.explicit_vr, due.big_endian},
                             Encoding{due.explicit_vr, !due.big_endian}, Encoding{!due.explicit_vr, !due.big_endian}}) {
    if (begins_item(at, end, one)) return one;
  }
  return due;
}

}  // namespace waybill::dicom
