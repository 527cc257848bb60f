// Offers the time zone of the reader's device, if it is one of the zones in the list.
(() => {
  const select = document.getElementById("id_time_zone");
  const button = document.getElementById("detect-time-zone");
  const zone = Intl.DateTimeFormat().resolvedOptions().timeZone;
  const known = select && [...select.options].some((option) => option.value === zone);
  if (!button || !known) return;
  button.hidden = false;
  button.addEventListener("click", () => {
    select.value = zone;
    select.form.requestSubmit();
  });
})();
