// SPDX-License-Identifier: Apache-2.0
#include "scan/since.hpp"

#include "core/result.hpp"
#include "core/sha256.hpp"
#include "core/text.hpp"
#include "manifest/record.hpp"
#include "scan/order.hpp"

#include <filesystem>

namespace waybill::scan {

using archive::Entry;
using manifest::Gone;
using manifest::Object;

namespace {

/// A number in [0, 1) that is the same for the same object and seed.
double draw(const std::string& id, std::uint64_t seed) {
  Sha256 sha;
  sha.update(std::to_string(seed));
  sha.update("\n");
  sha.update(id);
  return static_cast<double>(std::stoull(sha.finish().hex().substr(0, 13), nullptr, 16)) /
         static_cast<double>(1ULL << 52U);
}

}  // namespace

Since::Since(const std::filesystem::path& older, const std::vector<std::string>& sources, double recheck,
             std::uint64_t seed)
    : reader_(older), recheck_(recheck), seed_(seed) {
  for (const std::string& source : sources) sources_.push_back(std::filesystem::canonical(source).string());
  advance();
}

/// The next object record of the older scan; findings about the whole archive are made again.
void Since::advance() {
  next_.reset();
  while (auto record = reader_.next()) {
    if (auto* object = std::get_if<Object>(&*record)) {
      next_ = std::move(*object);
      next_path_ = path_from_text(next_->source.path);
      return;
    }
  }
}

std::size_t Since::source_of(const std::string& path) const {
  for (std::size_t i = 0; i < sources_.size(); ++i) {
    const std::string& source = sources_[i];
    if (path.starts_with(source) &&
        (path.size() == source.size() || source.back() == '/' || path[source.size()] == '/'))
      return i;
  }
  return sources_.size();
}

bool Since::before(const std::string& path, const std::string& other) const {
  const std::size_t a = source_of(path);
  const std::size_t b = source_of(other);
  return a != b ? a < b : walk_order(path, other) < 0;
}

/// Drops the older scan's next path; one record for it, whatever was found inside.
void Since::pass(std::vector<Gone>& gone) {
  const std::string path = next_path_;
  gone.push_back({next_->id, next_->source});
  while (next_ && next_path_ == path) advance();
}

bool Since::judge(const Entry& entry) {
  while (next_ && before(next_path_, entry.path)) pass(gone_);
  Known known;
  known.gone = std::move(gone_);
  gone_.clear();
  while (next_ && next_path_ == entry.path) {
    known.objects.push_back(*std::move(next_));
    advance();
  }
  if (!known.objects.empty()) {
    const Object& file = known.objects.front();
    known.same = entry.kind == archive::EntryKind::file && file.source.size == entry.size &&
                 file.source.mtime == entry.mtime && (file.source.inode == 0 || file.source.inode == entry.inode) &&
                 file.bucket != manifest::Bucket::unreadable;
    known.recheck = known.same && draw(file.id, seed_) < recheck_;
  }
  const bool read = !known.same || known.recheck;
  judged_.push_back(std::move(known));
  return read;
}

void Since::drop_last() {
  for (Gone& gone : judged_.back().gone) gone_.push_back(std::move(gone));
  judged_.pop_back();
}

Known Since::take() {
  Known known = std::move(judged_.front());
  judged_.pop_front();
  return known;
}

std::vector<Gone> Since::rest() {
  std::vector<Gone> gone = std::move(gone_);
  gone_.clear();
  while (next_) pass(gone);
  return gone;
}

}  // namespace waybill::scan
