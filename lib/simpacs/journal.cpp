// SPDX-License-Identifier: Apache-2.0
#include "simpacs/journal.hpp"

#include "core/clock.hpp"

#include <fcntl.h>
#include <cerrno>

namespace waybill::simpacs {

Journal::Journal(const std::optional<std::filesystem::path>& file) {
  if (!file) return;
  name_ = *file;
  file_ = io::open_file(name_, O_WRONLY | O_CREAT | O_APPEND);
  if (!file_) io::throw_errno("write", name_, errno);
}

JsonWriter Journal::line(std::string_view event, std::uint64_t association) {
  JsonWriter json;
  json.begin_object().member("event", event).member("at", utc_now()).member("association", association);
  return json;
}

void Journal::write(JsonWriter line) {
  if (!file_) return;
  const std::string text = std::move(line.end_object()).str() + "\n";
  const std::lock_guard lock(mutex_);
  io::write_all(file_.get(), as_bytes(text), name_);
}

}  // namespace waybill::simpacs
