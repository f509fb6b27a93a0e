// SPDX-License-Identifier: Apache-2.0
#include "transcode/wire.hpp"

#include <algorithm>
#include <cstring>
#include <type_traits>

namespace waybill::transcode {
namespace {

/// Either counts the bytes of a message or writes them; the same code does both.
class Out {
 public:
  explicit Out(std::byte* to, const Finder* find) noexcept : to_(to), find_(find) {}
  void bytes(ByteView v) {
    number(std::uint64_t{v.size()});
    if (to_ != nullptr && !v.empty()) std::memcpy(to_ + size_, v.data(), v.size());
    size_ += v.size();
  }
  /// Where the bytes are, if the other side can look there; else themselves.
  void place_or_bytes(ByteView v) {
    const auto place = find_ != nullptr ? (*find_)(v) : std::nullopt;
    number(static_cast<std::uint8_t>(place.has_value()));
    if (!place) return bytes(v);
    number(place->buffer);
    number(place->offset);
    number(place->size);
  }
  void text(const std::string& v) { bytes(as_bytes(v)); }
  template <typename T>
  void number(T v) {
    static_assert(std::is_trivially_copyable_v<T>);
    if (to_ != nullptr) std::memcpy(to_ + size_, &v, sizeof(T));
    size_ += sizeof(T);
  }
  [[nodiscard]] std::size_t size() const noexcept { return size_; }

 private:
  std::byte* to_;
  const Finder* find_;
  std::size_t size_ = 0;
};

class In {
 public:
  explicit In(ByteView from, const Viewer* view = nullptr) noexcept : from_(from), view_(view) {}
  ByteView bytes() {
    const auto size = number<std::uint64_t>();
    if (size > from_.size()) {
      good_ = false;
      return {};
    }
    const ByteView out = from_.first(size);
    from_ = from_.subspan(size);
    return out;
  }
  ByteView place_or_bytes() {
    if (number<std::uint8_t>() == 0) return bytes();
    Place place;
    place.buffer = number<std::uint32_t>();
    place.offset = number<std::uint64_t>();
    place.size = number<std::uint64_t>();
    const ByteView out = good_ && view_ != nullptr ? (*view_)(place) : ByteView{};
    good_ = good_ && out.size() == place.size;
    return out;
  }
  std::string text() { return std::string(as_text(bytes())); }
  template <typename T>
  T number() {
    T v{};
    if (from_.size() < sizeof(T)) {
      good_ = false;
      return v;
    }
    std::memcpy(&v, from_.data(), sizeof(T));
    from_ = from_.subspan(sizeof(T));
    return v;
  }
  [[nodiscard]] bool good() const noexcept { return good_; }

 private:
  ByteView from_;
  const Viewer* view_;
  bool good_ = true;
};

void write(Out& out, const pixel::PixelData& data) {
  const pixel::ImageInfo& i = data.info;
  for (const std::uint32_t v : {i.rows, i.columns, i.frames}) out.number(v);
  for (const std::uint16_t v : {i.samples, i.bits_allocated, i.bits_stored, i.high_bit}) out.number(v);
  for (const bool v : {i.is_signed, i.planar, i.pixel_words, data.encapsulated, data.big_endian, data.full_size_422})
    out.number(static_cast<std::uint8_t>(v));
  out.number(i.float_bits);
  out.text(i.photometric);
  out.text(data.transfer_syntax);
  out.place_or_bytes(data.value);
}

pixel::PixelData read_pixels(In& in) {
  pixel::PixelData data;
  pixel::ImageInfo& i = data.info;
  for (std::uint32_t* v : {&i.rows, &i.columns, &i.frames}) *v = in.number<std::uint32_t>();
  for (std::uint16_t* v : {&i.samples, &i.bits_allocated, &i.bits_stored, &i.high_bit}) *v = in.number<std::uint16_t>();
  for (bool* v : {&i.is_signed, &i.planar, &i.pixel_words, &data.encapsulated, &data.big_endian, &data.full_size_422})
    *v = in.number<std::uint8_t>() != 0;
  i.float_bits = in.number<std::uint8_t>();
  i.photometric = in.text();
  data.transfer_syntax = in.text();
  data.value = in.place_or_bytes();
  return data;
}

void write(Out& out, const Request& request) {
  out.number(request.memory);
  out.number(request.seconds);
  out.text(request.syntax);
  out.number(static_cast<std::uint8_t>(request.written.has_value()));
  write(out, request.source);
  if (request.written) write(out, *request.written);
}

void write(Out& out, const Encoded& encoded) {
  out.text(encoded.photometric);
  out.number(encoded.samples);
  out.number(std::uint64_t{encoded.frames.size()});
  for (const ByteView frame : encoded.frames) out.bytes(frame);
}

void write(Out& out, const std::string& name) { out.text(name); }

template <typename T>
void write(Out& out, const Result<T>& answer) {
  out.number(static_cast<std::uint8_t>(answer.has_value()));
  if (answer) {
    write(out, *answer);
    return;
  }
  out.number(static_cast<std::uint8_t>(answer.error().fault));
  out.text(answer.error().what);
}

template <typename T>
std::size_t put_message(Region& region, const T& message, const Finder* find = nullptr) {
  Out count(nullptr, find);
  write(count, message);
  const auto room = region.room(count.size());
  if (room.empty()) return 0;
  Out out(room.data(), find);
  write(out, message);
  return out.size();
}

const Failure kNonsense{Fault::malformed, "a codec process answered nonsense"};

Failure failure_in(In& in) {
  const auto fault = in.number<std::uint8_t>();
  std::string what = in.text();
  if (!in.good() || fault > static_cast<std::uint8_t>(Fault::refused)) return kNonsense;
  return {static_cast<Fault>(fault), std::move(what)};
}

}  // namespace

std::size_t put(Region& region, const Request& request, const Finder& find) {
  return put_message(region, request, &find);
}
std::size_t put(Region& region, const Result<Encoded>& answer) { return put_message(region, answer); }
std::size_t put(Region& region, const Result<std::string>& answer) { return put_message(region, answer); }

Result<Request> get_request(ByteView message, const Viewer& view) {
  In in(message, &view);
  Request out;
  out.memory = in.number<std::uint64_t>();
  out.seconds = in.number<std::uint64_t>();
  out.syntax = in.text();
  const bool both = in.number<std::uint8_t>() != 0;
  out.source = read_pixels(in);
  if (both) out.written = read_pixels(in);
  if (!in.good()) return kNonsense;
  return out;
}

Result<Encoded> get_encoded(ByteView message) {
  In in(message);
  if (in.number<std::uint8_t>() == 0) return failure_in(in);
  Encoded out;
  out.photometric = in.text();
  out.samples = in.number<std::uint16_t>();
  const auto frames = in.number<std::uint64_t>();
  for (std::uint64_t i = 0; in.good() && i < frames; ++i) out.frames.push_back(in.bytes());
  if (!in.good()) return kNonsense;
  return out;
}

Result<std::string> get_name(ByteView message) {
  In in(message);
  if (in.number<std::uint8_t>() == 0) return failure_in(in);
  std::string name = in.text();
  if (!in.good()) return kNonsense;
  return name;
}

}  // namespace waybill::transcode
