// SPDX-License-Identifier: Apache-2.0
#include "scan/merge.hpp"

#include "scan/catalogue.hpp"

#include <algorithm>
#include <optional>
#include <set>

namespace waybill::scan {
namespace {

using manifest::Object;
using manifest::Study;

constexpr const char* kFewer = "D13";  // fewer instances than an older scan counted, which the merge does not read

class Whole final : public manifest::Whole {
 public:
  Whole(std::filesystem::path index, Catalogue::Depth depth) : index_(std::move(index)), depth_(depth) {}

  void forget(Object& object) const override { Catalogue::forget(object); }

  void study_of_part(const Study& study) override {
    const auto& codes = study.discrepancies;
    if (std::find(codes.begin(), codes.end(), kFewer) != codes.end()) fewer_.insert(study.study);
  }

  void object(Object object, const Emit& emit) override {
    Catalogue::forget(object);
    for (const auto& late : catalogue().settle(object)) emit(to_json(late));
    emit(to_json(object));
  }

  void conclude(const Emit& emit) override {
    catalogue().conclude([&](const manifest::LateFinding& late) { emit(to_json(late)); });
    (void)catalogue().studies([&](const Study& study) {
      if (!fewer_.contains(study.study)) return emit(to_json(study));
      Study told = study;
      told.discrepancies.insert(told.discrepancies.begin(), kFewer);
      emit(to_json(told));
    });
  }

 private:
  /// Made when the first object comes, so that a merge that is refused leaves no index behind.
  Catalogue& catalogue() {
    if (!catalogue_) catalogue_.emplace(index_, depth_);
    return *catalogue_;
  }

  std::filesystem::path index_;
  Catalogue::Depth depth_;
  std::optional<Catalogue> catalogue_;
  std::set<std::string> fewer_;
};

}  // namespace

std::unique_ptr<manifest::Whole> whole_of(const std::string& stage, bool deep, const std::filesystem::path& output) {
  if (stage != "scan") return nullptr;
  std::filesystem::path index;
  if (output != "-") index = output.string() + ".index";
  return std::make_unique<Whole>(index, deep ? Catalogue::Depth::pixels : Catalogue::Depth::attributes);
}

}  // namespace waybill::scan
