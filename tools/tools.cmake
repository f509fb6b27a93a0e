# One program a tool; each is options in, one library call, exit code out.
function(waybill_tool_if name)
  if(EXISTS ${PROJECT_SOURCE_DIR}/tools/waybill-${name}.cpp)
    waybill_tool(${name} ${ARGN})
  endif()
endfunction()
waybill_tool_if(manifest USES manifest)
waybill_tool_if(scan USES scan)
waybill_tool_if(reconcile USES reconcile)
waybill_tool_if(transcode USES transcode)
waybill_tool_if(load USES load)
waybill_tool_if(verify USES verify)
waybill_tool_if(report USES report)

# The dispatcher: `waybill NAME` starts waybill-NAME beside it.
add_executable(waybill tools/waybill.cpp)
target_link_libraries(waybill PRIVATE waybill::core)
